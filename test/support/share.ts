/**
 * Long enumerations and long runs of chance: `npm test` does a tenth of each, COUNTERSIGN_COMPLETE=1 all of it, as
 * `npm run test:complete` does. Which tenth of an enumeration is decided by a fixed seed, so that it is always the
 * same.
 */
import { numbers } from "./damage.js";

export const COMPLETE = process.env.COUNTERSIGN_COMPLETE === "1";
const SEED = 0x5eed;

/** For titles of tests: how much of the enumeration they run. */
export const SHARE = COMPLETE ? "complete" : `a tenth, seed 0x${SEED.toString(16)}`;

/** A function that draws a tenth of what it is given: always at least one case. Each call continues the sequence. */
export function drawing(): <T>(all: readonly T[]) => readonly T[] {
  const next = numbers(SEED);
  return (all) => {
    if (COMPLETE || all.length === 0) return all;
    const chosen = all.filter(() => next(10) === 0);
    return chosen.length > 0 ? chosen : [all[next(all.length)]!];
  };
}

/** A tenth of a number of rounds, or of the size of an input. */
export const shareOf = (complete: number): number => (COMPLETE ? complete : Math.ceil(complete / 10));

/** The bits of so many bytes, by number: a tenth of them. */
export function bitsOf(bytes: number): readonly number[] {
  return drawing()(Array.from({ length: 8 * bytes }, (_, bit) => bit));
}
