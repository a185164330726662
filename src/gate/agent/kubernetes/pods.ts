import { type ChildProcess, fork } from "node:child_process";
import { entryFile } from "../../../engine/entries.js";
import { CountersignError } from "../../../error.js";
import type { ContainerState } from "../container-state.js";
import type { LabelSource, Labels, LabelsListening } from "../label-source.js";
import type { FromReader, Pod } from "./pod.js";

/**
 * The pods of one node by the Kubernetes API, for their labels. A process of its own reads them; this keeps what it says. What
 * is known stays while the API does not answer, and what was never known stays unknown.
 */
export class Pods implements LabelSource {
  /** By the API's uid. */
  readonly #pods = new Map<string, Pod>();
  /** By namespace and name. */
  readonly #named = new Map<string, Pod>();
  #reader: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #restarts = 0;
  #listed = false;
  #trouble = "";

  /** Throws USAGE where a name can be none of a node. */
  constructor(private readonly node: string) {
    if (node.length <= 253 && NODE.test(node)) return;
    throw new CountersignError("USAGE", `\`${node}\` is no name of a node`, {
      remedy: "write --labels kubernetes:NODE",
    });
  }

  follow(listening: LabelsListening): void {
    const reader = fork(entryFile("pod-reader"), [this.node], {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [`--max-old-space-size=${READER_HEAP}`],
      env: readerEnvironment(),
    });
    this.#reader = reader;
    reader.on("message", (message: FromReader) => this.#heard(message, listening));
    reader.once("error", () => undefined); // it is said at its exit, or when it does not start
    reader.once("close", () => {
      if (this.#reader !== reader) return;
      this.#say(listening, "the process that reads pods ended");
      const delay = Math.min(MOST_DELAY, FIRST_DELAY * 2 ** this.#restarts);
      this.#restarts = Math.min(this.#restarts + 1, 16);
      this.#restart = setTimeout(() => this.follow(listening), delay);
    });
  }

  /**
   * A runtime that says a uid means that pod alone: another one can have had its name before. Who makes a pod can claim that it
   * mirrors another one, but cannot give it the other one's name.
   */
  labelsOf({ annotations }: ContainerState): Labels | null {
    const { uid, namespace, name } = sandboxOf(annotations);
    const own = uid === undefined ? undefined : this.#pods.get(uid);
    if (own !== undefined) return own.labels;
    const namesake = this.#named.get(`${namespace}/${name}`);
    return namesake !== undefined && (uid === undefined || namesake.mirrors === uid) ? namesake.labels : null;
  }

  why({ annotations }: ContainerState): string {
    const { uid, namespace, name } = sandboxOf(annotations);
    if (uid === undefined && name === undefined) return "the runtime names no pod";
    if (!this.#listed) return "the Kubernetes API has not listed the node's pods";
    return `node \`${this.node}\` has no pod \`${namespace ?? "?"}/${name ?? "?"}\` of uid \`${uid ?? "?"}\` with labels`;
  }

  close(): void {
    const reader = this.#reader;
    this.#reader = null;
    if (this.#restart !== null) clearTimeout(this.#restart);
    reader?.kill("SIGTERM");
  }

  #heard(message: FromReader, listening: LabelsListening): void {
    switch (message.is) {
      case "trouble":
        this.#say(listening, message.reason);
        return;
      case "gone":
        // a container that ends later keeps the labels that it has
        this.#forget(message.uid);
        return;
      case "pod":
        if (this.#know(message.pod)) listening.changed();
        return;
      case "pods": {
        const there = new Set(message.pods.map(({ uid }) => uid));
        for (const uid of this.#pods.keys()) if (!there.has(uid)) this.#forget(uid);
        const changed = message.pods.filter((pod) => this.#know(pod)).length > 0;
        this.#listed = true;
        this.#trouble = "";
        this.#restarts = 0;
        if (changed) listening.changed();
      }
    }
  }

  /** Whether anything about its labels is new. */
  #know(pod: Pod): boolean {
    const before = this.#pods.get(pod.uid);
    this.#pods.set(pod.uid, pod);
    this.#named.set(fullName(pod), pod);
    return before === undefined || JSON.stringify(before) !== JSON.stringify(pod);
  }

  #forget(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined) return;
    this.#pods.delete(uid);
    if (this.#named.get(fullName(pod)) === pod) this.#named.delete(fullName(pod));
  }

  /** Each reason once, until pods could be read again. */
  #say(listening: LabelsListening, reason: string): void {
    if (reason === this.#trouble) return;
    this.#trouble = reason;
    listening.say(
      new CountersignError("LABELS_UNKNOWN", `labels cannot be read from Kubernetes: ${reason}`, {
        remedy: "see docs/errors/LABELS_UNKNOWN.md; it is tried again",
      }),
    );
  }
}

/** A DNS subdomain, as names of nodes are. */
const NODE = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;
/** Megabytes of the reader's heap: the pods of a node take a few. */
const READER_HEAP = 128;
/** Milliseconds before a reader that ended is started again, at first and at most. */
const FIRST_DELAY = 1000;
const MOST_DELAY = 60_000;

function fullName({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}

/** Annotations by which containerd's CRI plugin and CRI-O say whose a container is. */
function sandboxOf(annotations: ContainerState["annotations"]): {
  readonly uid: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
} {
  return {
    uid: annotations["io.kubernetes.cri.sandbox-uid"] ?? annotations["io.kubernetes.pod.uid"],
    namespace: annotations["io.kubernetes.cri.sandbox-namespace"] ?? annotations["io.kubernetes.pod.namespace"],
    name: annotations["io.kubernetes.cri.sandbox-name"] ?? annotations["io.kubernetes.pod.name"],
  };
}

/** Without what systemd says to the agent alone. */
function readerEnvironment(): NodeJS.ProcessEnv {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID, ...rest } = process.env;
  return rest;
}
