import { SIGN } from "../values/call-tags.js";
import { PARAMETERS, PLACES, placeBehind } from "./byte-places.js";
import { ByteSet } from "./byte-set.js";
import type { WrittenBytes } from "./written-bytes.js";

const SIGNS = [SIGN.NEGATIVE, SIGN.ZERO, SIGN.POSITIVE];
/** All sets of signs, those with more signs first. */
const BY_NUMBER_OF_SIGNS = [7, 6, 5, 3, 4, 2, 1];
/** The place at which those behind parameters begin. */
const BEHIND = placeBehind(1, 0, 0);

/** What a function does with the memory that its parameters point to. */
interface Summary {
  /** Bytes that it reads before it has surely written them; and for which parameters it may read any byte. */
  readonly reads: ByteSet;
  readsAny: number;
  /** Bytes that it has surely written when it returns a number of each sign; null if it is not known to return one. */
  readonly writes: (ByteSet | null)[];
  /** The ranges of `writes` behind each parameter, computed for the first call after a change. */
  written: readonly (readonly WrittenRange[])[] | null;
  /** The last return: the number of its set of written bytes, its signs and the call; many returns are alike. */
  readonly last: { set: number; signs: number; slot: number };
}

/** Bytes behind a parameter that a function has surely written if its result has one of these signs. */
interface WrittenRange {
  readonly distance: number;
  readonly size: number;
  readonly signs: number;
}

/** Summaries of the functions of a program, which grow while they are analysed: more reads, fewer writes. */
export class FunctionSummaries {
  readonly #summaries = new Map<number, Summary>();

  /** Adds bytes that a function reads behind a parameter. Returns whether they are new. */
  addRead(index: number, place: number, size: number): boolean {
    return this.#of(index).reads.add(place, size);
  }

  /** The function may read any byte around a parameter (from 1). Returns whether that is new. */
  addReadOfAny(index: number, parameter: number): boolean {
    const summary = this.#of(index);
    const before = summary.readsAny;
    summary.readsAny |= 1 << parameter;
    return summary.readsAny !== before;
  }

  /** Calls `visit` with each range that a function reads behind a parameter. */
  visitReads(index: number, parameter: number, visit: (distance: number, size: number) => void): void {
    const reads = this.#summaries.get(index)?.reads;
    const start = placeBehind(parameter, 0, 0);
    reads?.visit(start, placeBehind(parameter + 1, 0, 0), (place, size) => visit(place - start, size));
  }

  readsAny(index: number, parameter: number): boolean {
    return ((this.#summaries.get(index)?.readsAny ?? 0) & (1 << parameter)) !== 0;
  }

  /** A function returns a number of one of these signs; `slot` is the call that it is the result of, or -1. */
  returns(index: number, signs: number, slot: number, written: WrittenBytes): boolean {
    const summary = this.#of(index);
    const { writes, last } = summary;
    const set = written.store();
    if (last.set === set && last.slot === slot && (signs & ~last.signs) === 0) return false;
    last.set = set;
    last.signs = signs;
    last.slot = slot;
    let fewer = false;
    for (const [at, sign] of SIGNS.entries()) {
      if ((signs & sign) === 0) continue;
      const before = writes[at]!;
      if (before !== null && before.next(BEHIND, PLACES) < 0) continue;
      const now = new ByteSet();
      now.copy(written.bytes);
      if (slot >= 0) written.pending.resolve(slot, sign, (place, size) => now.add(place, size));
      if (before === null) writes[at] = now;
      else if (!before.intersect(now)) continue;
      fewer = true;
    }
    if (fewer) summary.written = null;
    return fewer;
  }

  /**
   * The bytes behind a parameter (from 1) that a function has surely written: first those that it has written for every
   * result, at last those for one sign only.
   */
  written(index: number, parameter: number): readonly WrittenRange[] {
    const summary = this.#summaries.get(index);
    if (summary === undefined) return NOTHING;
    summary.written ??= rangesOf(summary.writes);
    return summary.written[parameter - 1]!;
  }

  #of(index: number): Summary {
    let summary = this.#summaries.get(index);
    if (summary === undefined) {
      summary = { reads: new ByteSet(), readsAny: 0, writes: [null, null, null], written: null, last: { ...NONE } };
      this.#summaries.set(index, summary);
    }
    return summary;
  }
}

const NOTHING: readonly WrittenRange[] = [];
const NONE = { set: -1, signs: 0, slot: -1 };

/** The ranges behind each parameter. */
function rangesOf(writes: readonly (ByteSet | null)[]): readonly (readonly WrittenRange[])[] {
  const ranges: WrittenRange[][] = Array.from({ length: PARAMETERS }, () => []);
  const visited: { readonly signs: number; readonly set: ByteSet }[] = [];
  for (const signs of BY_NUMBER_OF_SIGNS) {
    const [first, ...others] = writes.filter((set, at) => set !== null && (signs & SIGNS[at]!) !== 0);
    if (!first) continue;
    const set = new ByteSet();
    set.copy(first);
    for (const other of others) set.intersect(other!);
    for (const [index, own] of ranges.entries()) {
      const start = placeBehind(index + 1, 0, 0);
      set.visit(start, placeBehind(index + 2, 0, 0), (place, size) => {
        const known = visited.some((more) => (signs & ~more.signs) === 0 && more.set.missing(place, size) < 0);
        if (!known) own.push({ distance: place - start, size, signs });
      });
    }
    visited.push({ signs, set });
  }
  return ranges;
}
