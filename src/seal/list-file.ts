import { existsSync } from "node:fs";
import { CountersignError } from "../error.js";
import { readInput } from "../input.js";
import { readSignature } from "../trust/signature-file.js";
import { type List, MAX_LIST, parseList } from "./list.js";

/** A list that has been read, its file's bytes, and the signature beside it: null if there is none. */
export interface ListFile {
  readonly list: List;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array | null;
}

/** Reads a list, and its signature from `LIST.p7s`. Throws FILE_…, SEAL_LIST_… and DER_MALFORMED errors. */
export function readListFile(path: string): ListFile {
  const beside = `${path}.p7s`;
  const bytes = readInput(path, MAX_LIST);
  const list = within(path, () => parseList(bytes));
  return { list, bytes, signature: existsSync(beside) ? readSignature(beside) : null };
}

/** Adds the path of a list to the place of errors that lack it. */
export function within<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw error instanceof CountersignError && error.place?.startsWith(path) !== true ? error.within(path) : error;
  }
}
