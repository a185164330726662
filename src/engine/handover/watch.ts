import { monotonic } from "../../monotonic.js";

/**
 * Indexes of 32-bit words in memory that a decision thread shares with its watcher: the request, the attachment that is
 * being asked, and event counters. The watcher reads while the thread writes; `count` changes at each step, so that the
 * watcher detects an inconsistent read.
 */
const WORDS = { count: 0, request: 1, attachment: 2, requests: 3, responses: 4, preparing: 5 } as const;
const SIZE = 32;
const NONE = -1;

/**
 * Milliseconds that creating a policy's runtime may take. The work is bounded by units (sandbox/shared/limits.ts),
 * which take 10 to 60 ms on an idle machine. This deadline covers work that has no units. With ten tasks for each
 * processor, policies that do nothing unusual exceeded 1,000 ms.
 */
export const PREPARE_TIMEOUT = 2000;

/**
 * An attachment that is being asked or prepared. `request` is the current request, or the last one if the thread is
 * idle.
 */
export interface AskedAttachment {
  readonly request: number;
  readonly attachment: number;
  readonly preparing: boolean;
  /** Differs each time that an attachment is asked or prepared. */
  readonly count: number;
  /** In milliseconds of monotonic(). */
  readonly deadline: number;
}

export class DecisionWatch {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** Deadline of the attachment, in milliseconds of monotonic(). */
  readonly #deadline: Float64Array;

  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(SIZE + 8);
    this.#words = new Int32Array(this.memory, 0, SIZE / 4);
    this.#deadline = new Float64Array(this.memory, SIZE, 1);
    if (memory === undefined) this.#words[WORDS.attachment] = NONE;
  }

  /** Called by the thread when it starts to decide a request. */
  begin(request: number): void {
    this.#words[WORDS.request] = request;
    this.#words[WORDS.attachment] = NONE;
  }

  /**
   * Called by the thread when it asks an attachment, given by its number in the configuration. `timeout` is in
   * milliseconds.
   */
  ask(attachment: number, timeout: number): void {
    this.#enter(attachment, timeout, 0);
  }

  /** Called by the thread when it starts to create an attachment's runtime, in a decision or while idle. */
  prepare(attachment: number, timeout = PREPARE_TIMEOUT): void {
    this.#enter(attachment, timeout, 1);
  }

  #enter(attachment: number, timeout: number, preparing: 0 | 1): void {
    this.#deadline[0] = monotonic() + timeout;
    this.#words[WORDS.preparing] = preparing;
    Atomics.add(this.#words, WORDS.count, 1);
    Atomics.store(this.#words, WORDS.attachment, attachment);
  }

  /** Called by the thread when the attachment has returned. */
  answered(): void {
    Atomics.store(this.#words, WORDS.attachment, NONE);
  }

  /** Called by the watcher: returns the attachment that is being asked or prepared, or null. */
  look(): AskedAttachment | null {
    const count = Atomics.load(this.#words, WORDS.count);
    const attachment = Atomics.load(this.#words, WORDS.attachment);
    const request = this.#words[WORDS.request]!;
    const preparing = this.#words[WORDS.preparing] === 1;
    const deadline = this.#deadline[0]!;
    if (attachment === NONE || Atomics.load(this.#words, WORDS.count) !== count) return null;
    return { request, attachment, preparing, count, deadline };
  }

  /** Called by the watcher: returns the attachment that has exceeded its time by `grace` milliseconds, or null. */
  overdue(grace: number): AskedAttachment | null {
    const asked = this.look();
    return asked === null || monotonic() < asked.deadline + grace ? null : asked;
  }

  /** Milliseconds until the current attachment is overdue, at most `most`; the watcher need not check before. */
  patience(grace: number, most: number): number {
    if (Atomics.load(this.#words, WORDS.attachment) === NONE) return most;
    return Math.max(1, Math.min(most, this.#deadline[0]! + grace - monotonic() + 1));
  }

  /** Called by the watcher when it has sent a request. */
  requested(): void {
    this.#raise(WORDS.requests);
  }

  /** Called by the thread when it has sent a response. */
  responded(): void {
    this.#raise(WORDS.responses);
  }

  get responses(): number {
    return Atomics.load(this.#words, WORDS.responses);
  }

  get requests(): number {
    return Atomics.load(this.#words, WORDS.requests);
  }

  /** Called by the thread: blocks until the counter of requests differs from `seen`. */
  waitForRequest(seen: number): void {
    Atomics.wait(this.#words, WORDS.requests, seen);
  }

  /** Called by the watcher: blocks until the counter of responses differs from `seen`, at most so many milliseconds. */
  waitForResponse(seen: number, milliseconds: number): void {
    Atomics.wait(this.#words, WORDS.responses, seen, milliseconds);
  }

  #raise(word: number): void {
    Atomics.add(this.#words, word, 1);
    Atomics.notify(this.#words, word);
  }
}
