import type { Impersonator } from "../../../sys/credentials.js";
import { close } from "../../../sys/pidfd.js";
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
import type { Analysed } from "./load-analysis.js";
import type { Watch } from "./watch.js";

/** Runs the blocking operations of a call. */
export interface OpExecutor {
  /** Number of operations that have ended or were replayed in this turn. */
  readonly count: number;
  /** Throws {@link NeedsBlockingOp} or {@link WorkerReplaced}, which end the call's turn. */
  run<E extends BlockingOp>(op: E): OutcomeOf<E>;
  /** Throws {@link NeedsBlockingOp} if the call has not been admitted: see {@link Admissions}. */
  admit(): void;
  /** Whether another thread has already made the analysis at this position of the call. */
  hasAnalysed(index: number): boolean;
  /**
   * Analyses a load. Throws the same errors as {@link run}. The result is kept apart from those of blocking operations,
   * because a later turn may find the load in its cache and then skips the analysis.
   */
  analyse(op: Analyse): Analysed;
}

/** Runs operations in the decision thread itself, which the watcher observes. This is the fast path. */
export class InlineExecutor implements OpExecutor {
  /** The operations of this turn. Arrays keep their length, because V8 shrinks and grows them slowly. */
  readonly #ops: (BlockingOp | null)[] = [];
  readonly #outcomes: unknown[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The results of this turn, for the thread that continues the call. */
  get results(): OpResult[] {
    return this.#ops
      .slice(0, this.#count)
      .map((op, index) => ({ outcome: this.#outcomes[index], memory: memoryOf(op!) }));
  }

  /** Deletes the results at the end of the turn. */
  forget(): void {
    for (let index = 0; index < this.#count; index += 1) this.#ops[index] = this.#outcomes[index] = null;
    this.#count = 0;
  }

  constructor(
    private readonly watch: Watch,
    private readonly impersonator: Impersonator,
  ) {}

  run<E extends BlockingOp>(op: E): OutcomeOf<E> {
    this.watch.block(waitOf(op));
    const outcome = runBlockingOp(op, this.impersonator);
    const stays = this.watch.unblock();
    this.#ops[this.#count] = op;
    this.#outcomes[this.#count] = outcome;
    this.#count += 1;
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
    // the gate's own work does not count as time that the container made the gate wait
    this.watch.waited = waited;
    this.watch.forgetWait();
    return analysed;
  }
}

/** Replays the results of earlier turns. The first operation without a result ends the turn; a worker then runs it. */
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

  /** Closes the fds among the results that this turn did not use because the call ended before. */
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

/** Closes the fd that an operation returned. A positive result of a system call made for a task is always an fd. */
export function discard(outcome: unknown): void {
  if (typeof outcome === "number" && outcome > 0) close(outcome);
}

/** Ends the turn of a call. The call continues when `op` has run or, if `op` is null, when the call is admitted. */
export class NeedsBlockingOp extends Error {
  /** The new recording of the call, if the turn began without one. */
  recording: CallRecording | null = null;

  constructor(readonly op: BlockingOp | null) {
    super("needs a blocking operation");
  }
}

/** The thread was replaced. It ends, because another thread has its listeners and continues the call. */
export class WorkerReplaced extends Error {
  constructor() {
    super("another thread has taken over");
  }
}
