import { OwnedThread } from "../../engine/threads/owned-thread.js";
import type { ThreadImage } from "../../engine/threads/thread-image.js";
import type { AgentLink } from "../task/blocking/agent-link.js";
import type { OpResult } from "../task/blocking/call-recording.js";
import { countShared } from "../task/blocking/shared-bytes.js";
import type { FromBlockingWorker, ToBlockingWorker } from "../task/blocking/worker-messages.js";
import { Interrupts } from "./interrupts.js";

export type BlockingWorker = OwnedThread<ToBlockingWorker, FromBlockingWorker>;

export type WorkerEvent =
  | { readonly is: "result"; readonly worker: BlockingWorker; readonly result: OpResult }
  /** The worker ended although it was not stopped: it failed, or it was terminated. */
  | { readonly is: "ended"; readonly worker: BlockingWorker; readonly reason: string };

/** Maximum number of workers, without those whose operation is `slow` or `lost`. */
const MAX_WORKERS = 4;
/** Milliseconds after which an idle worker is stopped. */
const IDLE = 30_000;
/** A worker runs almost no JavaScript. */
const HEAP = { maxYoungGenerationSizeMb: 2 };

/** The threads that run blocking operations. They are started on demand and stopped when they are idle. */
export class BlockingWorkers {
  /** All workers, each with the timer that stops it when it is idle. */
  readonly #workers = new Map<BlockingWorker, NodeJS.Timeout | undefined>();
  readonly #interrupts = new Interrupts();

  constructor(
    private readonly report: (event: WorkerEvent) => void,
    /** The script of the workers, read earlier; null to run the file of the bundle. */
    private readonly image: ThreadImage | null,
    /** The agent of a sealed machine that the workers ask about their calls; null for none. */
    private readonly agent: AgentLink | null = null,
  ) {}

  /**
   * Returns an idle worker or a new one; null if there are too many. `kept`: the number of workers whose operation is
   * `slow` or `lost`.
   */
  take(busy: ReadonlySet<BlockingWorker | null>, kept: number): BlockingWorker | null {
    for (const [worker, timer] of this.#workers) {
      if (busy.has(worker)) continue;
      clearTimeout(timer);
      return worker;
    }
    return this.#workers.size - kept >= MAX_WORKERS ? null : this.#start();
  }

  /** Interrupts the system call that a worker is in. */
  interrupt(worker: BlockingWorker): void {
    this.#interrupts.send(worker);
  }

  /** Handles the results that a worker has sent and that were not delivered yet. */
  receive(worker: BlockingWorker): void {
    for (const message of worker.received()) if (message.is === "result") this.#onResult(worker, message);
  }

  /** Stops all workers, and waits for idle ones. One that is blocked in a system call ends with the process. */
  async stop(busy: ReadonlySet<BlockingWorker | null>): Promise<void> {
    const workers = [...this.#workers];
    this.#workers.clear();
    await Promise.all(
      workers.map(([worker, idle]) => {
        clearTimeout(idle);
        this.#interrupts.forget(worker);
        const end = worker.end();
        return busy.has(worker) ? null : end;
      }),
    );
  }

  #start(): BlockingWorker {
    const worker: BlockingWorker = new OwnedThread(
      this.image ?? "gate-blocking-worker",
      { agent: this.agent },
      (message) => {
        if (message.is === "result") this.#onResult(worker, message);
        else if (message.is === "started") this.#interrupts.add(worker, message.tid);
      },
      HEAP,
    );
    this.#workers.set(worker, undefined);
    void worker.ended.then(({ message }) => this.#onEnd(worker, message));
    return worker;
  }

  #onResult(worker: BlockingWorker, result: OpResult): void {
    countShared(result.outcome);
    this.#workers.set(worker, setTimeout(() => this.#dismiss(worker), IDLE).unref());
    this.report({ is: "result", worker, result });
  }

  #dismiss(worker: BlockingWorker): void {
    this.#workers.delete(worker);
    this.#interrupts.forget(worker);
    void worker.end();
  }

  #onEnd(worker: BlockingWorker, reason: string): void {
    this.#interrupts.forget(worker);
    if (this.#workers.delete(worker)) this.report({ is: "ended", worker, reason });
  }
}
