import { CountersignError } from "../../../error.js";
import { readInput } from "../../../input.js";
import { countsOf, type FileList, MAX_FILE_LIST, parseFileList, requireFiles } from "../../../seal/files.js";
import { type List, NO_FILES } from "../../../seal/list.js";

/** Help of the option that names a list of files. */
export const FILES = "the files that must be listed (default: that beside the list of programs, if it belongs to one)";

/** Where `seal build` writes the list of files that belongs to a list of programs. */
export function filesBeside(list: string): string {
  return list.endsWith(".list") ? `${list.slice(0, -".list".length)}.files` : `${list}.files`;
}

/**
 * The list of files of `named`, or else the one beside the list of programs `listPath`, if that list was built with
 * one. Null if there is none. Throws FILE_… and SEAL_LIST_… errors; SEAL_FILES_MISMATCH if the two do not belong
 * together.
 */
export function readFileList(
  named: string | undefined,
  listPath: string | undefined,
  list: List | null,
): FileList | null {
  const expected = list === null || list.header.files === NO_FILES ? null : list.header.files;
  const path = named ?? (expected === null ? undefined : filesBeside(listPath!));
  if (path === undefined) return null;
  try {
    const files = parseFileList(readInput(path, MAX_FILE_LIST));
    if (list !== null) requireFiles(files, expected);
    return files;
  } catch (error) {
    throw error instanceof CountersignError && error.place?.startsWith(path) !== true ? error.within(path) : error;
  }
}

/** `, 3 modules and others by ticket`; nothing for kinds that need not be listed. */
export function titleOfFiles(files: FileList | null): string {
  const kinds = Object.entries(countsOf(files)).filter(([, count]) => count !== null);
  const others = files?.modulesByTicket === true ? " and others by ticket" : "";
  return kinds.map(([kind, count]) => `, ${count} ${kind}${kind === "modules" ? others : ""}`).join("");
}
