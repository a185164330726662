import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { isElf } from "../../bpf/elf/elf.js";
import { objectsOfFile } from "../../bpf/embedded.js";
import type { Kernel } from "../../bpf/relocate.js";
import { readFull } from "../../read-full.js";
import type { InstalledFile } from "../packages/dpkg.js";
import { knownPrograms } from "./known-object.js";
import { filePlace, type KnownProgram } from "./known-program.js";
import type { KnownSource } from "./known-source.js";
import { readable } from "./readable.js";

/** Maximum sizes in bytes of a file that is searched, and of all of them. */
const MAX_FILE = 1 << 28;
const MAX_FILES = 2 ** 35;

/** A file that may be a BPF object, or embed some. */
type SearchedFile = Pick<InstalledFile, "path"> & Partial<InstalledFile>;

/**
 * The programs of BPF objects in files. Only regular ELF files are read: of a package, others are left out, as is what
 * has no BPF; of files that the user named, those that are left out are said. What no loader could load is not known.
 * Throws what `files` throws.
 */
export function filePrograms(files: () => Iterable<SearchedFile>): KnownSource {
  return function* (kernel, incomplete) {
    let left = MAX_FILES;
    const elf = new ElfFiles();
    for (const file of files()) {
      const bytes = elf.read(file.path, left);
      if (bytes === null) {
        if (file.package === undefined) incomplete(`${file.path} is no ELF file of at most 256 MiB that can be read`);
        continue;
      }
      left -= bytes.length;
      yield* programsIn(file, bytes, kernel);
    }
    if (left < MAX_FILE) incomplete("the files to search have more than 32 GiB");
  };
}

function programsIn(file: SearchedFile, bytes: Uint8Array, kernel: Kernel): readonly KnownProgram[] {
  const objects = readable(() => objectsOfFile(bytes)) ?? [];
  if (objects.length === 0) return [];
  const its = file.package?.(bytes) ?? null;
  const isObject = objects.length === 1 && objects[0]!.offset === 0;
  return objects.flatMap(({ offset, bytes: object }) => {
    const place = { ...filePlace(file.path, isObject ? null : offset), package: its };
    return readable(() => knownPrograms(object.slice(), place, kernel)) ?? [];
  });
}

/** Reads files, with the same memory for each. */
class ElfFiles {
  #memory = new Uint8Array(1 << 20);

  /**
   * The bytes of a regular ELF file, until the next call; null for another file, and for one that has more than `most`
   * bytes or cannot be read.
   */
  read(path: string, most: number): Uint8Array | null {
    let fd: number;
    try {
      // O_NONBLOCK: open(2) of a pipe would wait for a writer
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    } catch {
      return null;
    }
    try {
      const stats = fstatSync(fd);
      if (!stats.isFile() || stats.size > Math.min(MAX_FILE, most)) return null;
      if (!isElf(readFull(fd, this.#memory.subarray(0, 4), 0))) return null;
      if (stats.size > this.#memory.length) this.#memory = new Uint8Array(2 ** Math.ceil(Math.log2(stats.size)));
      return readFull(fd, this.#memory.subarray(0, stats.size), 0);
    } catch {
      return null;
    } finally {
      closeSync(fd);
    }
  }
}
