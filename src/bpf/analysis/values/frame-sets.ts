import { ANY_FRAME, ANY_OFFSET } from "./kinds.js";

/** A place in a function's stack frame: the function, and the offset from the frame's end or ANY_OFFSET. */
export type Place = readonly [frame: number, offset: number];

/** Maximum number of frames that a pointer's set holds. With more, it may point into any frame. */
const MOST_FRAMES = 32;

/**
 * Sets of places for pointers that may point into the frames of several functions, such as an argument of a function
 * with several callers. A set has one place in each frame. Offsets are relative to that of the first place whose offset
 * is known, which is the offset of the value; adding a number to the value moves all places. A set is identified by a
 * number below ANY_FRAME, which is used in place of the index of a function.
 */
export class FrameSets {
  readonly #sets: (readonly Place[])[] = [];
  readonly #names = new Map<string, number>();
  /** Total work in units of work.ts: two for each place that is read. */
  work = 0;

  /** The places for a frame or set and an offset; null if the frame is not known. */
  places(frame: number, offset: number): readonly Place[] | null {
    if (frame === ANY_FRAME) return null;
    if (frame > ANY_FRAME) return [[frame, offset]];
    const set = this.#set(frame);
    this.work += 2 * set.length;
    return set.map(([each, relative]) => [
      each,
      offset === ANY_OFFSET || relative === ANY_OFFSET ? ANY_OFFSET : offset + relative,
    ]);
  }

  /** The union of two. The result is again a frame or set, and an offset. */
  join(frameA: number, offsetA: number, frameB: number, offsetB: number): Place {
    const a = this.places(frameA, offsetA);
    const b = this.places(frameB, offsetB);
    if (a === null || b === null) return [ANY_FRAME, ANY_OFFSET];
    const joined = new Map(a);
    this.work += 2 * (a.length + b.length);
    for (const [frame, offset] of b) {
      const known = joined.get(frame);
      joined.set(frame, known === undefined || known === offset ? offset : ANY_OFFSET);
    }
    if (joined.size > MOST_FRAMES) return [ANY_FRAME, ANY_OFFSET];
    const places = [...joined].sort(([first], [second]) => first - second);
    if (places.length === 1) return places[0]!;
    const origin = places.find(([, offset]) => offset !== ANY_OFFSET)?.[1] ?? ANY_OFFSET;
    const relative = places.map(([frame, offset]): Place => [frame, offset === ANY_OFFSET ? offset : offset - origin]);
    return [this.#name(relative), origin];
  }

  #set(name: number): readonly Place[] {
    return this.#sets[ANY_FRAME - 1 - name]!;
  }

  #name(places: readonly Place[]): number {
    const key = places.join();
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = ANY_FRAME - 1 - this.#sets.length;
    this.#sets.push(places);
    this.#names.set(key, name);
    return name;
  }
}
