import type { Analysed } from "../load/analysis.js";
import type { Impersonator } from "../sys/credentials.js";
import { close } from "../sys/pidfd.js";
import {
  type Analyse,
  type BlockingOp,
  type Memory,
  memoryOf,
  type OutcomeOf,
  runBlockingOp,
  waitOf,
} from "./blocking-op.js";
import type { CallRecording, OpResult } from "./call-recording.js";
import type { Watch } from "./watch.js";

/** Runs the blocking operations of a call. */
export interface OpExecutor {
  /** Operations that ran in this turn. */
  readonly count: number;
  /** Throws {@link NeedsBlockingOp} or {@link WorkerReplaced}, which end the call's turn: close open fds then. */
  run<E extends BlockingOp>(op: E): OutcomeOf<E>;
  /** Throws {@link NeedsBlockingOp} where this call has not been admitted: see {@link Admissions}. */
  admit(): void;
  /** Whether an earlier turn had an analysis made by another thread. */
  hasAnalysed(index: number): boolean;
  /**
   * Analyses a load. Throws as {@link run}. The result is not among the results of blocking operations, because a later
   * turn may find the load in its cache and then skips the analysis.
   */
  analyse(op: Analyse): Analysed;
}

/** Runs operations in the decision thread, while its watcher observes it. This is the fast path. */
export class InlineExecutor implements OpExecutor {
  readonly #ops: BlockingOp[] = [];
  readonly #outcomes: unknown[] = [];

  get count(): number {
    return this.#ops.length;
  }

  /** The results of this turn, for the thread that goes on with the call. */
  get results(): OpResult[] {
    return this.#ops.map((op, index) => ({ outcome: this.#outcomes[index], memory: memoryOf(op) }));
  }

  /** The turn is over. */
  forget(): void {
    this.#ops.length = 0;
    this.#outcomes.length = 0;
  }

  constructor(
    private readonly watch: Watch,
    private readonly impersonator: Impersonator,
  ) {}

  run<E extends BlockingOp>(op: E): OutcomeOf<E> {
    this.watch.block(waitOf(op));
    const outcome = runBlockingOp(op, this.impersonator);
    const stays = this.watch.unblock();
    this.#ops.push(op);
    this.#outcomes.push(outcome);
    if (!stays) throw new WorkerReplaced();
    if (op.do === "call" && (outcome as number) > 0) this.watch.made(outcome as number);
    return outcome;
  }

  admit(): void {
    throw new NeedsBlockingOp(null);
  }

  hasAnalysed(): boolean {
    return false;
  }

  analyse(op: Analyse): Analysed {
    const { waited } = this.watch;
    this.watch.block(waitOf(op));
    const analysed = runBlockingOp(op, this.impersonator);
    if (!this.watch.unblock()) throw new WorkerReplaced();
    // the container is not charged for the gate's own work
    this.watch.waited = waited;
    this.watch.forgetWait();
    return analysed;
  }
}

/** Replays the results of earlier turns. The first operation without a result ends the turn: a worker runs it then. */
export class ReplayExecutor implements OpExecutor {
  #next = 0;

  constructor(private readonly recording: CallRecording) {}

  get count(): number {
    return this.#next;
  }

  run<E extends BlockingOp>(op: E): OutcomeOf<E> {
    const results = this.recording.results[this.#next];
    if (results === undefined) throw new NeedsBlockingOp(op);
    this.#next += 1;
    for (const [index, memory] of memoryOf(op).entries()) bytesOf(memory).set(bytesOf(results.memory[index]!));
    return results.outcome as OutcomeOf<E>;
  }

  admit(): void {
    if (!this.recording.admitted) throw new NeedsBlockingOp(null);
  }

  hasAnalysed(index: number): boolean {
    return this.recording.analyses.has(index);
  }

  analyse(op: Analyse): Analysed {
    const analysed = this.recording.analyses.get(op.index);
    if (analysed === undefined) throw new NeedsBlockingOp(op);
    return analysed;
  }

  /** Closes the fds among results that this turn did not use, because the call ended earlier. */
  close(): void {
    for (const { outcome } of this.recording.results.slice(this.#next)) discard(outcome);
  }
}

/** Closes all fds of a call that will not be completed. */
export function abandon(recording: CallRecording): void {
  for (const fd of recording.fds.values()) close(fd);
  new ReplayExecutor(recording).close();
}

function bytesOf({ buffer, byteOffset, byteLength }: Memory): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Closes the fd that an operation returned. A positive result of a call made for a task is always an fd.
 */
export function discard(outcome: unknown): void {
  if (typeof outcome === "number" && outcome > 0) close(outcome);
}

/** The call goes on once the operation has run; without an operation, once the call is admitted. */
export class NeedsBlockingOp extends Error {
  /** The call's recording, if the turn began without one. */
  recording: CallRecording | null = null;

  constructor(readonly op: BlockingOp | null) {
    super("needs a blocking operation");
  }
}

/** The thread has lost its listeners to another one, which goes on with the call; it ends. */
export class WorkerReplaced extends Error {
  constructor() {
    super("another thread has taken over");
  }
}
