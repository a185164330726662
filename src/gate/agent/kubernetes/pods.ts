import { type ChildProcess, fork } from "node:child_process";
import { entryFile } from "../../../engine/threads/entries.js";
import { CountersignError } from "../../../error.js";
import type { ContainerState } from "../container/container-state.js";
import type { LabelSource, Labels, LabelsListening } from "../container/label-source.js";
import type { FromReader, Pod } from "./pod.js";

/**
 * Labels of the pods of one node, from the Kubernetes API. A separate process reads the pods, and this class stores
 * them. While the API does not respond, known labels stay in effect and other labels stay unknown.
 */
export class Pods implements LabelSource {
  /** Pods by their uid in the API. */
  readonly #pods = new Map<string, Pod>();
  /** Pods by namespace and name. */
  readonly #named = new Map<string, Pod>();
  #reader: ChildProcess | null = null;
  #restart: NodeJS.Timeout | null = null;
  #restarts = 0;
  #listed = false;
  #trouble = "";

  /** Throws USAGE if the name is not a valid node name. */
  constructor(private readonly node: string) {
    if (node.length <= 253 && NODE.test(node)) return;
    throw new CountersignError("USAGE", `\`${node}\` is not the name of a node`, {
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
    reader.once("error", () => undefined); // reported at `close`, which also follows a failed start
    reader.once("close", (code, signal) => {
      if (this.#reader !== reader) return;
      this.#say(listening, `the process that reads pods ended by ${signal ?? `exit code ${code}`}`, ENDED);
      const delay = Math.min(MOST_DELAY, FIRST_DELAY * 2 ** this.#restarts);
      this.#restarts = Math.min(this.#restarts + 1, 16);
      this.#restart = setTimeout(() => this.follow(listening), delay);
    });
  }

  /**
   * If the runtime reports a uid, only the pod with that uid is used, because an earlier pod can have had the same
   * name. A static pod is found by its name, and its mirror must have that uid: a user can create a pod that claims to
   * mirror another one, but not with the same name.
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
    return (
      `node \`${this.node}\` has no pod \`${namespace ?? "?"}/${name ?? "?"}\` of uid \`${uid ?? "?"}\` ` +
      "with labels"
    );
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
        // labels are not looked up again here, so a container that outlives its pod keeps its labels
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

  /** Stores a pod. Returns true if it is new or has changed. */
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

  /** Reports a reason once, until another one occurs or pods were listed again. */
  #say(listening: LabelsListening, reason: string, remedy = NOT_READ): void {
    if (reason === this.#trouble) return;
    this.#trouble = reason;
    listening.say(
      new CountersignError("LABELS_UNKNOWN", `labels cannot be read from Kubernetes: ${reason}`, {
        remedy,
      }),
    );
  }
}

const NOT_READ =
  "check that the agent may list and watch pods (deploy/kubernetes.yaml), and the node's name; it is tried again";
const ENDED = "see what it wrote to standard error, and the limit of memory; it is started again";

/** A node name is a DNS subdomain. */
const NODE = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;
/** Maximum heap size of the reader in megabytes. The pods of a node take a few. */
const READER_HEAP = 128;
/** Milliseconds until a reader that exited is started again: the first delay, which doubles, and the longest. */
const FIRST_DELAY = 1000;
const MOST_DELAY = 60_000;

function fullName({ namespace, name }: Pod): string {
  return `${namespace}/${name}`;
}

/** Returns the pod of a container, from the annotations that containerd's CRI plugin and CRI-O set. */
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

/** Returns the environment without the variables that systemd sets for the agent. */
function readerEnvironment(): NodeJS.ProcessEnv {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID, ...rest } = process.env;
  return rest;
}
