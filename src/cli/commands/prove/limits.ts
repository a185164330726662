import { InvalidArgumentError } from "commander";

/** The most rows or paths of one table or property, if the command line does not say. */
export const MAX_PATHS = 2_000;
/** The most rows of the table of a configuration, if the command line does not say. */
export const ROWS = 100;
/** In seconds. */
export const TIMEOUT = 60;

/** A number of the command line. */
export function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new InvalidArgumentError("give a number from 1 to 1000000");
}
