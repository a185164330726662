import { ANY_FRAME, ANY_OFFSET } from "./kinds.js";

/** A place in a function's frame: the offset from the frame's end, or ANY_OFFSET. */
export type Place = readonly [frame: number, offset: number];

/** Of more frames than this a pointer may point into any. */
const MOST_FRAMES = 32;

/**
 * Pointers that may point into the frames of several functions, as an argument of a function with several callers does.
 * A set holds one place in each frame, relative to the first whose offset is known: the value that points there has
 * that one's offset, and moves the whole set when a number is added to it. A set has a name below ANY_FRAME, which
 * stands where otherwise the index of a single function stands.
 */
export class FrameSets {
  readonly #sets: (readonly Place[])[] = [];
  readonly #names = new Map<string, number>();
  /** Units of work (work.ts) in all: two for each place looked at. */
  work = 0;

  /** The places that a frame, or the name of a set, and an offset stand for; null where the frame is not known. */
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

  /** Either of two. What comes back is again a frame, or the name of a set, and an offset. */
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
