/**
 * What a decision thread is doing, in memory that its watcher shares: the request being decided, the attachment being
 * asked, and until when it may take. The watcher reads while the thread writes: a count that changes with each step
 * tells a torn look.
 */
const WORDS = { count: 0, request: 1, attachment: 2, requests: 3, responses: 4, preparing: 5 } as const;
const SIZE = 32;
const NONE = -1;

/**
 * Milliseconds that making a policy's runtime may take. The work is bounded by units (sandbox/limits.ts), which take 10
 * to 60 ms on an idle machine. This deadline covers work that has no units; it must be long enough for a busy machine.
 */
export const PREPARE_TIMEOUT = 1000;

/** An attachment that was asked, or prepared, past its time; `request` is the one being decided, or the one before. */
export interface Overdue {
  readonly request: number;
  readonly attachment: number;
  readonly preparing: boolean;
  /** Differs each time that an attachment is asked or prepared. */
  readonly count: number;
}

export class DecisionWatch {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** Milliseconds since the epoch. */
  readonly #deadline: Float64Array;

  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(SIZE + 8);
    this.#words = new Int32Array(this.memory, 0, SIZE / 4);
    this.#deadline = new Float64Array(this.memory, SIZE, 1);
    if (memory === undefined) this.#words[WORDS.attachment] = NONE;
  }

  /** By the thread: the request that is being decided from now on. */
  begin(request: number): void {
    this.#words[WORDS.request] = request;
    this.#words[WORDS.attachment] = NONE;
  }

  /** By the thread: an attachment, by its number in the configuration, is asked, and has so many milliseconds. */
  ask(attachment: number, timeout: number): void {
    this.#enter(attachment, timeout, 0);
  }

  /** Called by the thread when it starts to make an attachment's runtime, in a decision or while idle. */
  prepare(attachment: number, timeout = PREPARE_TIMEOUT): void {
    this.#enter(attachment, timeout, 1);
  }

  #enter(attachment: number, timeout: number, preparing: 0 | 1): void {
    this.#deadline[0] = Date.now() + timeout;
    this.#words[WORDS.preparing] = preparing;
    Atomics.add(this.#words, WORDS.count, 1);
    Atomics.store(this.#words, WORDS.attachment, attachment);
  }

  /** By the thread: it has come back. */
  answered(): void {
    Atomics.store(this.#words, WORDS.attachment, NONE);
  }

  /** Called by the watcher: returns the attachment that has exceeded its time by `grace` milliseconds, or null. */
  overdue(grace: number): Overdue | null {
    const count = Atomics.load(this.#words, WORDS.count);
    const attachment = Atomics.load(this.#words, WORDS.attachment);
    const request = this.#words[WORDS.request]!;
    const preparing = this.#words[WORDS.preparing] === 1;
    if (attachment === NONE || Date.now() < this.#deadline[0]! + grace) return null;
    return Atomics.load(this.#words, WORDS.count) === count ? { request, attachment, preparing, count } : null;
  }

  /** Milliseconds until it would be worth looking again: when what is asked now is overdue, or `most`. */
  patience(grace: number, most: number): number {
    if (Atomics.load(this.#words, WORDS.attachment) === NONE) return most;
    return Math.max(1, Math.min(most, this.#deadline[0]! + grace - Date.now() + 1));
  }

  /** By the watcher: there is a request. */
  requested(): void {
    this.#raise(WORDS.requests);
  }

  /** By the thread: there is a response. */
  responded(): void {
    this.#raise(WORDS.responses);
  }

  get responses(): number {
    return Atomics.load(this.#words, WORDS.responses);
  }

  get requests(): number {
    return Atomics.load(this.#words, WORDS.requests);
  }

  /** By the thread: blocks until there is a request beyond `seen`. */
  waitForRequest(seen: number): void {
    Atomics.wait(this.#words, WORDS.requests, seen);
  }

  /** By the watcher: blocks until there is a response beyond `seen`, or for so many milliseconds. */
  waitForResponse(seen: number, milliseconds: number): void {
    Atomics.wait(this.#words, WORDS.responses, seen, milliseconds);
  }

  #raise(word: number): void {
    Atomics.add(this.#words, word, 1);
    Atomics.notify(this.#words, word);
  }
}
