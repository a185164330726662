import { closeSync } from "node:fs";
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import type { Warning } from "../warning.js";
import { type Entry, entryFile } from "./entries.js";
import type { Failure } from "./failure.js";
import type { SealedRules } from "./keyrings.js";
import type { Texts } from "./sources.js";
import { BOOT, type ThreadImage } from "./thread-image.js";

/** What every thread says, beside what is its own. */
export type ThreadMessage =
  | { readonly is: "ready" }
  /**
   * Fds that the thread has opened for as long as it lives, of which node knows nothing: they are closed once it has
   * ended.
   */
  | { readonly is: "opened"; readonly fds: readonly number[] }
  /**
   * What a configuration's policies and maps were made of, where the thread was not given it: for those that replace
   * it. With what is to be told a person about the configuration, once.
   */
  | { readonly is: "read"; readonly texts: Texts; readonly warnings: readonly Warning[] }
  /** Sealed keyrings took CRLs: for the threads that come after this one. */
  | { readonly is: "sealed"; readonly sealed: SealedRules }
  /** Where `id` is null: it cannot start, or go on. */
  | { readonly is: "failed"; readonly id: number | null; readonly error: Failure };

/**
 * A thread that can be ended at any time, from outside. It speaks over a channel of its own: messages of a worker's
 * cannot be taken by a caller that waits blocked.
 */
export class OwnedThread<To, From extends { readonly is: string }> {
  /** False once the thread has ended, by itself or not. */
  alive = true;
  /** Resolves once the thread has ended, with why. */
  readonly ended: Promise<Failure>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #ready: Promise<Failure | null>;
  readonly #opened: number[] = [];

  /**
   * `hear` is told of messages that come while nobody waits blocked. The thread gets `data` with its `port`; its heap
   * has V8's own limits where none are given. It runs a file of the bundle, or an image.
   */
  constructor(
    code: Entry | ThreadImage,
    data: object,
    hear: (message: From | ThreadMessage) => void,
    heap: ResourceLimits = {},
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const image = typeof code === "string" ? null : code;
    this.#worker = new Worker(typeof code === "string" ? entryFile(code) : BOOT, {
      eval: image !== null,
      workerData: { ...data, image, port: port2 },
      transferList: [port2],
      // do not pass on the flags of the embedding program: --input-type=module is an error in a worker
      execArgv: [],
      // deep recursion in a policy must meet the guest's bound before the host's
      resourceLimits: { stackSizeMb: 16, ...heap, ...(image?.installed ? NO_REMAPPING : {}) },
      // modules that NODE_OPTIONS names would be read again
      ...(image?.installed ? { env: { ...process.env, NODE_OPTIONS: "" } } : {}),
    });
    this.#worker.unref();
    let take: (message: From | ThreadMessage) => void;
    const started = new Promise<Failure | null>((resolve) => {
      take = (message) => {
        if (isOpened(message)) this.#opened.push(...message.fds);
        else if (message.is === "ready") resolve(null);
        else if (isFatal(message)) resolve(message.error);
        hear(message);
      };
      this.#port.on("message", take);
    });
    this.ended = new Promise((resolve) => {
      const end = (message: string) => {
        this.alive = false;
        resolve({ code: "INTERNAL", message, place: undefined, remedy: undefined });
      };
      this.#worker.on("error", ({ name, message }) => end(`${name}: ${message}`));
      this.#worker.on("exit", () => {
        // If this thread was busy, the worker's last messages, with the reason for its exit, arrive after the event.
        for (const message of this.received()) take(message);
        for (const fd of this.#opened) closeSync(fd);
        end("the decision thread ended");
      });
    });
    this.#ready = Promise.race([started, this.ended]);
    this.#port.unref();
  }

  /** Resolves when the thread can decide, with null, or cannot, with why. */
  ready(): Promise<Failure | null> {
    this.#worker.ref();
    return this.#ready.finally(() => this.#worker.unref());
  }

  /** Keeps the process from ending by itself while the thread is there; or lets it, as at first. */
  hold(held: boolean): void {
    if (held) this.#worker.ref();
    else this.#worker.unref();
  }

  tell(message: To): void {
    this.#port.postMessage(message);
  }

  /** What the thread has said that nobody was told of yet; for a caller that waits blocked. */
  *received(): Generator<From | ThreadMessage> {
    for (;;) {
      const next = receiveMessageOnPort(this.#port) as { message: From | ThreadMessage } | undefined;
      if (next === undefined) return;
      yield next.message;
    }
  }

  /** Ends the thread where it stands. What it has said before can be {@link received} until then. */
  async end(): Promise<void> {
    this.alive = false;
    await this.#worker.terminate();
    this.#port.close();
  }
}

/**
 * V8 maps the code of its built-in functions into a new isolate from the node executable, which it opens by its path,
 * unless the heap is limited to less than 2 GiB (short builtin calls, Isolate::Init of src/execution/isolate.cc): by
 * then another file can be there.
 */
const NO_REMAPPING: ResourceLimits = { maxOldGenerationSizeMb: 1024 };

function isOpened(message: { readonly is: string }): message is ThreadMessage & { readonly is: "opened" } {
  return message.is === "opened";
}

function isFatal(message: { readonly is: string }): message is ThreadMessage & { readonly is: "failed" } {
  return message.is === "failed" && (message as { id?: unknown }).id === null;
}
