/** Maximum number of decisions that the shadow may be behind, and of KiB of their subjects and callers. */
const MAX_QUESTIONS = 1024;
const MAX_KIB = 64 * 1024;

const WORDS = { questions: 0, kib: 1, stopped: 2 } as const;

/**
 * How far the shadow's thread is behind, in memory that it shares with the decision threads. A decision thread does not
 * wait for the shadow: what exceeds the limits is not decided by the shadow.
 */
export class ShadowBacklog {
  readonly #words: Int32Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(12)) {
    this.#words = new Int32Array(memory);
  }

  /** Whether there is no room for any question, because the shadow is too far behind or has stopped. */
  get isFull(): boolean {
    return Atomics.load(this.#words, WORDS.stopped) !== 0 || this.size >= MAX_QUESTIONS;
  }

  /**
   * Makes room for a question of `bytes` bytes. Returns false if there is none. Call it immediately before the question
   * is sent: only an answer makes the room free again.
   */
  add(bytes: number): boolean {
    const kib = kibOf(bytes);
    if (this.isFull || Atomics.load(this.#words, WORDS.kib) + kib > MAX_KIB) return false;
    Atomics.add(this.#words, WORDS.questions, 1);
    Atomics.add(this.#words, WORDS.kib, kib);
    return true;
  }

  /** The shadow has answered a question. */
  done(bytes: number): void {
    Atomics.sub(this.#words, WORDS.questions, 1);
    Atomics.sub(this.#words, WORDS.kib, kibOf(bytes));
  }

  /** The shadow decides no more. */
  stop(): void {
    Atomics.store(this.#words, WORDS.stopped, 1);
  }

  /** Number of questions that are not answered. */
  get size(): number {
    return Atomics.load(this.#words, WORDS.questions);
  }
}

function kibOf(bytes: number): number {
  return Math.ceil(bytes / 1024);
}
