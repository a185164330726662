import type { Code } from "../../model/code.js";
import type { Scratch } from "../values/scratch.js";
import type { Values } from "../values/values.js";
import { CallOrder } from "./call-order.js";
import { AUXILIARY, type Flow } from "./flow.js";
import { FIRST_SLOT, type Frames, WRITTEN } from "./frames.js";
import { LeaderQueue } from "./leader-queue.js";
import type { Work } from "./work.js";

/**
 * Maximum number of words of all states: 16 MiB, or 32 MiB if they are wide. There is one state for each leader. Real
 * programs need a tenth of it.
 */
const MOST_WORDS = 8 << 20;
/** Number of iterations of a loop after which a number that still changes becomes any number. */
const TURNS = 4;

/** The register of the frame pointer. */
const FRAME_POINTER = 10;

/** The state at each leader (flow.ts), and the leaders that must be followed again because their state changed. */
export class States {
  /** Index in `#words` at which each leader's state begins. */
  readonly #base: Int32Array;
  /** Values, in two bytes each until there are too many of them. */
  #words: Uint16Array | Int32Array;
  readonly #reached: Uint8Array;
  /** By their places in `#order`; null for a program of one function, whose leaders are in order. */
  readonly #waiting: LeaderQueue;
  readonly #order: CallOrder | null;
  /** Number of backward jumps that changed the state of each leader. */
  readonly #turns: Uint8Array;
  /** Whether the states would exceed the limit. */
  readonly tooMany: boolean;

  constructor(
    code: Code,
    readonly flow: Flow,
    readonly values: Values,
    readonly frames: Frames,
    readonly work: Work,
    scratch: Scratch,
  ) {
    const leaders = flow.leaders.length;
    this.#base = scratch.takeAny(leaders + 1);
    this.#base[0] = 0;
    for (let leader = 0; leader < leaders; leader++)
      this.#base[leader + 1] = this.#base[leader]! + FIRST_SLOT + flow.frames[flow.functionOf[leader]!]!;
    // The word of the written bytes does not count.
    this.tooMany = this.#base[leaders]! - leaders > MOST_WORDS;
    const words = this.tooMany ? 0 : this.#base[leaders]!;
    const { buffer, byteOffset } = scratch.takeAny((words + 1) >> 1);
    this.#words = new Uint16Array(buffer, byteOffset, words);
    values.onWide = () => {
      this.#words = Int32Array.from(this.#words);
    };
    this.#reached = bytesOf(leaders, scratch);
    this.#waiting = new LeaderQueue(leaders, scratch);
    this.#order = code.functions.length === 1 ? null : new CallOrder(code, flow);
    this.#turns = bytesOf(leaders, scratch);
  }

  reached(leader: number): boolean {
    return this.#reached[leader] !== 0;
  }

  /** Removes and returns the first waiting leader; -1 if none waits. */
  next(): number {
    const place = this.#waiting.take();
    return place < 0 || this.#order === null ? place : this.#order.leaderAt(place);
  }

  mark(leader: number): void {
    this.work.done += 1;
    this.#waiting.add(this.#order === null ? leader : this.#order.placeOf(leader));
  }

  markAll(leaders: Iterable<number> | undefined): void {
    if (leaders === undefined) return;
    for (const leader of leaders) this.mark(leader);
  }

  /** Marks the reached leaders from `from` to `to` - 1. */
  markReached(from: number, to: number): void {
    this.work.done += (to - from) >> 3;
    for (let leader = from; leader < to; leader++) if (this.#reached[leader] !== 0) this.mark(leader);
  }

  /** Loads a leader's state into the current state. */
  load(leader: number): void {
    const { frames, flow } = this;
    const base = this.#base[leader]!;
    const size = this.#base[leader + 1]! - base;
    this.work.done += size >> 3;
    frames.function = flow.functionOf[leader]!;
    frames.followed = flow.frames[frames.function]!;
    const { state } = frames;
    const words = this.#words;
    for (let index = 0; index < size; index++) state[index] = words[base + index]!;
    state[AUXILIARY] = this.values.any;
    frames.written.load(state[WRITTEN]!);
  }

  /** Joins the current state into a leader's state. `from` is the slot of the jump. */
  join(leader: number, from: number): void {
    const base = this.#base[leader]!;
    const size = this.#base[leader + 1]! - base;
    this.work.done += size >> 3;
    const { state, written } = this.frames;
    state[WRITTEN] = written.store();
    const words = this.#words;
    const { values } = this;
    if (this.#reached[leader] === 0) {
      for (let index = 0; index < size; index++) words[base + index] = state[index]!;
      this.#reached[leader] = 1;
      this.mark(leader);
      return;
    }
    // Not every backward jump makes a loop. Only those that repeatedly change the state count.
    const backwards = this.flow.leaders[leader]! <= from;
    const tired = backwards && this.#turns[leader]! >= TURNS;
    let changed = false;
    let differing = 0;
    for (let index = 0; index < size; index++) {
      const before = words[base + index]!;
      const now = state[index]!;
      if (before === now) continue;
      differing += 1;
      const joined =
        index === WRITTEN ? written.join(before, now) : tired ? values.widen(before, now) : values.join(before, now);
      if (joined === before) continue;
      // Joining may have replaced the array.
      this.#words[base + index] = joined;
      changed = true;
    }
    this.work.done += differing;
    if (!changed) return;
    if (backwards && !tired) this.#turns[leader]! += 1;
    this.mark(leader);
  }

  /**
   * Joins arguments into the state at a function's entry, where the other registers and the frame may hold any number.
   */
  enter(entry: number, framePointer: number, args: readonly number[]): void {
    const { values } = this;
    const base = this.#base[entry]!;
    const words = this.#words;
    this.work.done += 2;
    if (this.#reached[entry] === 0) {
      this.#reached[entry] = 1;
      words.fill(values.any, base, this.#base[entry + 1]!);
      words[base + FRAME_POINTER] = framePointer;
      words[base + WRITTEN] = 0;
      for (let at = 0; at < args.length; at++) words[base + 1 + at] = args[at]!;
      this.mark(entry);
      return;
    }
    for (let at = 0; at < 5; at++) {
      const before = words[base + 1 + at]!;
      const joined = values.join(before, args[at] ?? values.any);
      if (joined === before) continue;
      this.#words[base + 1 + at] = joined;
      this.mark(entry);
    }
  }
}

/** An array of zeroed bytes. */
function bytesOf(length: number, scratch: Scratch): Uint8Array {
  const { buffer, byteOffset } = scratch.take((length + 3) >> 2);
  return new Uint8Array(buffer, byteOffset, length);
}
