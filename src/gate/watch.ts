/**
 * What the decision thread is doing, in memory that the watching thread shares: whose wait, since when, and in which step.
 * Steps that can take as long as a task likes have a deadline, and the watcher ends the task that overstays it.
 */
export const STEP = { idle: 0, copying: 1, deciding: 2, working: 3 } as const;
export type Step = (typeof STEP)[keyof typeof STEP];

/** Words: step, task, listener, id (low, high), count of steps, count at the last kill; at byte 32 the time in ms (float64). */
const SIZE = 40;

export class Watch {
  readonly #words: Int32Array;
  readonly #time: Float64Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(SIZE)) {
    this.#words = new Int32Array(memory, 0, 7);
    this.#time = new Float64Array(memory, 32, 1);
  }

  /** By the decision thread. */
  enter(step: Step, tid: number, listener: number, id: bigint): void {
    this.#words[1] = tid;
    this.#words[2] = listener;
    this.#words[3] = Number(id & 0xffffffffn) | 0;
    this.#words[4] = Number(id >> 32n) | 0;
    this.#time[0] = Date.now();
    Atomics.add(this.#words, 5, 1);
    Atomics.store(this.#words, 0, step);
  }

  step(step: Step): void {
    this.#time[0] = Date.now();
    Atomics.add(this.#words, 5, 1);
    Atomics.store(this.#words, 0, step);
  }

  /** Before each look into a task's memory; one deadline holds for those that follow each other. */
  copying(): void {
    if (this.#words[0] !== STEP.copying) this.step(STEP.copying);
  }

  leave(): void {
    Atomics.store(this.#words, 0, STEP.idle);
  }

  /** Whether the watcher killed the task in the step that was entered last. */
  get killed(): boolean {
    return Atomics.load(this.#words, 6) === this.#words[5];
  }

  /** By the watcher: it killed the task that it saw. */
  markKilled({ count }: Watched): void {
    Atomics.store(this.#words, 6, count);
  }

  /** By the watcher: what is being done and since when, or null. */
  look(): Watched | null {
    const step = Atomics.load(this.#words, 0) as Step;
    const count = Atomics.load(this.#words, 5);
    const [, tid = 0, listener = 0, low = 0, high = 0] = this.#words;
    const watched = {
      step,
      tid,
      listener,
      id: BigInt(low >>> 0) | (BigInt(high >>> 0) << 32n),
      since: this.#time[0] ?? 0,
      count,
    };
    // torn: the thread went on meanwhile, so nothing is stuck
    return step === STEP.idle || Atomics.load(this.#words, 5) !== count ? null : watched;
  }
}

export interface Watched {
  readonly step: Step;
  readonly tid: number;
  readonly listener: number;
  readonly id: bigint;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Differs from one step to the next. */
  readonly count: number;
}
