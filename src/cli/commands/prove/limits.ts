import { InvalidArgumentError } from "commander";
import { CountersignError } from "../../../error.js";
import { LimitError } from "../../../prove/certificate/limit-error.js";
import type { Doubt } from "../../../prove/shared/doubt.js";
import type { LimitName } from "../../../prove/shared/reached-limit.js";

/** The most rows or paths of one table or property, if the command line does not say. */
export const MAX_PATHS = 2_000;
/** The most rows of the table of a configuration, if the command line does not say. */
export const ROWS = 100;
/** In seconds. */
export const TIMEOUT = 60;

/** How many paths were explored, and how many of them have an example. */
export function pathsWords(paths: number, confirmed: number): string {
  return `${paths} ${paths === 1 ? "path" : "paths"}; the engine confirmed an example for ${confirmed} of them`;
}

/** The option that sets each limit of an exploration; null if there is none. */
const OPTIONS: Readonly<Record<LimitName, string | null>> = {
  paths: "--max-paths",
  timeout: "--timeout",
  cases: null,
};

/** Why something is not decided, with the option that raises the limit if one was reached. */
export function limitWords(why: string, limit: LimitName | null): string {
  const remedy = limitRemedy(limit);
  return remedy === null ? why : `${why} (${remedy})`;
}

/** The remedy of an error because of a limit; null if no option raises it. */
export function limitRemedy(limit: LimitName | null): string | null {
  const option = limit === null ? null : OPTIONS[limit];
  return option === null ? null : `raise ${option}`;
}

/** A line about something that is not decided. */
export function doubtLine({ why, place, limit }: Doubt): string {
  return `not decided${place === null ? "" : ` at ${place}`}: ${limitWords(why, limit ?? null)}`;
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
    if (!(error instanceof LimitError)) throw error;
    const { code, message, place, limit } = error;
    throw new CountersignError(code, message, { place, remedy: limitRemedy(limit) ?? error.remedy, cause: error });
  }
}
