import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { isElf } from "../../bpf/elf/elf.js";
import { CountersignError } from "../../error.js";
import { nothingFound } from "./nothing-found.js";

/** A file that may be a BPF object, or embed one. */
export interface ObjectFile {
  readonly path: string;
  /** The folder above it that the caller named; null if the caller named the file itself. */
  readonly folder: string | null;
}

/** Maximum number of files below the folders that are named. */
const MAX_FILES = 1_000_000;

/**
 * The files that are named, and the ELF files below folders that are named, sorted by path. Symbolic links in folders
 * are not followed. Throws FILE_UNREADABLE, FILE_TOO_LARGE if there are too many files, and NOTHING_FOUND for a folder
 * without ELF files.
 */
export function objectFiles(paths: readonly string[]): readonly ObjectFile[] {
  return paths.flatMap((path): readonly ObjectFile[] => {
    const below = read(path, () => (statSync(path).isDirectory() ? filesBelow(path) : null));
    if (below === null) return [{ path, folder: null }];
    if (below.length > MAX_FILES)
      throw new CountersignError("FILE_TOO_LARGE", `has more than ${MAX_FILES} files`, {
        place: path,
        remedy: "name a folder further down",
      });
    const found = below.filter((file) => read(file, () => beginsAsElf(file)));
    if (found.length === 0) throw nothingFound(path, "BPF object");
    return found.map((file) => ({ path: file, folder: path }));
  });
}

/** Throws NOTHING_FOUND for a folder that the caller named if no file in it has BPF programs. */
export function requirePrograms(files: readonly ObjectFile[], hasPrograms: (file: ObjectFile) => boolean): void {
  const found = new Set(files.filter(hasPrograms).map(({ folder }) => folder));
  for (const { folder } of files) if (folder !== null && !found.has(folder)) throw nothingFound(folder, "BPF object");
}

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function beginsAsElf(file: string): boolean {
  const fd = openSync(file, "r");
  try {
    const start = new Uint8Array(4);
    return readSync(fd, start) === start.length && isElf(start);
  } finally {
    closeSync(fd);
  }
}

function read<Result>(path: string, call: () => Result): Result {
  try {
    return call();
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      place: path,
      remedy: "check the path and its permissions",
      cause,
    });
  }
}
