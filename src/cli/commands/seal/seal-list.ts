import { CountersignError } from "../../../error.js";
import { readInput } from "../../../input.js";
import { type List, MAX_LIST, parseList } from "../../../seal/list.js";

/** The list of a file; null if no file is named. Throws FILE_… and SEAL_LIST_… errors. */
export function readList(file: string | undefined): List | null {
  if (file === undefined) return null;
  try {
    return parseList(readInput(file, MAX_LIST));
  } catch (error) {
    throw error instanceof CountersignError && error.place?.startsWith(file) !== true ? error.within(file) : error;
  }
}

/** `3 entries of generation 7`. */
export function titleOfList(list: List | null): string {
  if (list === null) return "no list: every program is denied";
  return `list with ${list.header.entries} entries, generation ${list.header.generation}`;
}
