import { InvalidArgumentError } from "commander";
import { CountersignError } from "../../../error.js";

/** The most rows or paths of one table or property, if the command line does not say. */
export const MAX_PATHS = 2_000;
/** The most rows of the table of a configuration, if the command line does not say. */
export const ROWS = 100;
/** In seconds. */
export const TIMEOUT = 60;

/** How many paths were explored, and how many of them have an example. */
export function pathsWords(paths: number, confirmed: number): string {
  return `${paths} ${paths === 1 ? "path" : "paths"}, an example of ${confirmed} decided by the engine`;
}

/** The options that set the limits of an exploration, by what it says if it reaches one. */
const OPTIONS: readonly (readonly [reached: RegExp, option: string])[] = [
  [/there are more than \d+ paths/, "--max-paths"],
  [/the time limit was reached/, "--timeout"],
];

/** The option that sets the limit which a text names; null if it names none. */
export function limitOption(text: string): string | null {
  return OPTIONS.find(([reached]) => reached.test(text))?.[1] ?? null;
}

/** Why something is not decided; for a limit with the option that raises it. */
export function limitWords(why: string): string {
  const option = limitOption(why);
  return option === null ? why : `${why} (raise ${option})`;
}

/** A number of the command line. */
export function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new InvalidArgumentError("give a number from 1 to 1000000");
}

/** Calls `make`; if it fails because a limit was reached, the error says which option sets it. */
export function withinLimits<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    const option = error instanceof CountersignError ? limitOption(error.message) : null;
    if (!(error instanceof CountersignError) || option === null) throw error;
    const { code, message, place, cause } = error;
    throw new CountersignError(code, message, { place, remedy: `raise ${option}`, cause });
  }
}
