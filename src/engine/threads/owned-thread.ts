import { closeSync } from "node:fs";
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import type { Warning } from "../../warning.js";
import type { FileSnapshot } from "../load/file-cache.js";
import type { SealedRules } from "../load/keyrings.js";
import { type Entry, entryFile } from "./entries.js";
import type { Failure } from "./failure.js";
import { BOOT, type ThreadImage } from "./thread-image.js";

/** Messages that every thread may send. */
export type ThreadMessage =
  | { readonly is: "ready" }
  /**
   * Fds that the thread opened for its lifetime. Node does not know them, so they are closed after the thread has
   * ended.
   */
  | { readonly is: "opened"; readonly fds: readonly number[] }
  /**
   * The texts of policies and maps, sent by a thread that did not get them, for the threads that replace it; and the
   * warnings about the configuration, to be shown once.
   */
  | { readonly is: "read"; readonly texts: FileSnapshot; readonly warnings: readonly Warning[] }
  /** Sealed keyrings accepted CRLs; later threads need them too. */
  | { readonly is: "sealed"; readonly sealed: SealedRules }
  /** If `id` is null, the thread cannot start or continue. */
  | { readonly is: "failed"; readonly id: number | null; readonly error: Failure };

/**
 * A thread that another thread can terminate at any time. It has a message channel of its own, since a caller that
 * blocks cannot receive a worker's ordinary messages.
 */
export class OwnedThread<To, From extends { readonly is: string }> {
  /** False after the thread has ended for any reason. */
  alive = true;
  /** Resolves with the reason after the thread has ended. */
  readonly ended: Promise<Failure>;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #ready: Promise<Failure | null>;
  readonly #opened: number[] = [];

  /**
   * `onMessage` gets the messages that arrive while no caller is blocked. `workerData` is `data` with a `port`. `heap`
   * limits the thread's heap; V8's defaults apply without it. `code` is an entry of the bundle or an image.
   */
  constructor(
    code: Entry | ThreadImage,
    data: object,
    onMessage: (message: From | ThreadMessage) => void,
    heap: ResourceLimits = {},
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const image = typeof code === "string" ? null : code;
    this.#worker = new Worker(typeof code === "string" ? entryFile(code) : BOOT, {
      eval: image !== null,
      workerData: { ...data, image, port: port2 },
      transferList: [port2],
      // Do not pass on the flags of the embedding program: --input-type=module is an error in a worker
      execArgv: [],
      // Deep recursion in a policy must reach the guest's stack limit before the host's
      resourceLimits: { stackSizeMb: 16, ...heap, ...(image?.installed ? NO_REMAPPING : {}) },
      // Otherwise the worker would read modules that NODE_OPTIONS names again
      ...(image?.installed ? { env: { ...process.env, NODE_OPTIONS: "" } } : {}),
    });
    this.#worker.unref();
    let take: (message: From | ThreadMessage) => void;
    const started = new Promise<Failure | null>((resolve) => {
      take = (message) => {
        if (isOpened(message)) this.#opened.push(...message.fds);
        else if (message.is === "ready") resolve(null);
        else if (isFatal(message)) resolve(message.error);
        onMessage(message);
      };
      this.#port.on("message", take);
    });
    this.ended = new Promise((resolve) => {
      const end = (message: string) => {
        this.alive = false;
        resolve({ code: "INTERNAL", message, place: undefined, remedy: "report this, with the configuration" });
      };
      this.#worker.on("error", ({ name, message }) => end(`${name}: ${message}`));
      this.#worker.on("exit", () => {
        // If this thread was busy, the worker's last messages, with the reason for its exit, arrive after the event.
        for (const message of this.received()) take(message);
        for (const fd of this.#opened) closeSync(fd);
        end("the decision thread ended unexpectedly");
      });
    });
    this.#ready = Promise.race([started, this.ended]);
    this.#port.unref();
  }

  /** Resolves with null when the thread can decide, or with the reason why it cannot. */
  ready(): Promise<Failure | null> {
    this.#worker.ref();
    return this.#ready.finally(() => this.#worker.unref());
  }

  /** Whether the thread keeps the process alive; at first it does not. */
  hold(held: boolean): void {
    if (held) this.#worker.ref();
    else this.#worker.unref();
  }

  post(message: To): void {
    this.#port.postMessage(message);
  }

  /** Messages that have arrived and were not delivered yet, for a caller that blocks. */
  *received(): Generator<From | ThreadMessage> {
    for (;;) {
      const next = receiveMessageOnPort(this.#port) as { message: From | ThreadMessage } | undefined;
      if (next === undefined) return;
      yield next.message;
    }
  }

  /** Terminates the thread. Earlier messages can be {@link received} until this resolves. */
  async end(): Promise<void> {
    this.alive = false;
    await this.#worker.terminate();
    this.#port.close();
  }
}

/**
 * V8 remaps the code of its built-in functions into a new isolate from the node executable, which it opens by path,
 * unless the heap is limited to less than 2 GiB (short builtin calls, Isolate::Init in src/execution/isolate.cc). By
 * then that path may name another file.
 */
const NO_REMAPPING: ResourceLimits = { maxOldGenerationSizeMb: 1024 };

function isOpened(message: { readonly is: string }): message is ThreadMessage & { readonly is: "opened" } {
  return message.is === "opened";
}

function isFatal(message: { readonly is: string }): message is ThreadMessage & { readonly is: "failed" } {
  return message.is === "failed" && (message as { id?: unknown }).id === null;
}
