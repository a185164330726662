import { hash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isBpfElf, objectsOfFile } from "../../bpf/embedded.js";
import { factsOfObject } from "../../bpf/object.js";
import { CountersignError } from "../../error.js";
import { MAX_INPUT, readInput } from "../../input.js";
import { LruCache } from "../../lru-cache.js";

/** The name of a file of `log.programs`: the SHA-256 of its content. */
const DIGEST = /^[0-9a-f]{64}$/;
/** Number of contents that are kept in memory. */
const KEPT = 64;

/** Finds bytes by their SHA-256 in folders: whole files, and the instructions of programs in BPF objects. */
export class StoredContents {
  /** Paths of files by the digests of what is in them. */
  readonly #paths = new Map<string, string>();
  readonly #kept = new LruCache<string, Uint8Array>(KEPT);

  /**
   * Reads all files of folders and of those within them; a file of `log.programs` only when it is needed. `step` is
   * called with the path of each file. Throws FILE_UNREADABLE for a folder that cannot be read; a file is left out.
   */
  static of(folders: readonly string[], step: (path: string) => void = () => {}): StoredContents {
    const stored = new StoredContents();
    for (const folder of folders)
      for (const path of filesIn(folder)) {
        step(path);
        stored.#add(path);
      }
    return stored;
  }

  /** The bytes with a digest; null if there are none, or if the file has changed since. */
  find(sha256: string): Uint8Array | null {
    const known = this.#kept.get(sha256);
    if (known !== undefined) return known;
    const path = this.#paths.get(sha256);
    if (path === undefined) return null;
    const found = contentsOf(path).find((bytes) => hash("sha256", bytes) === sha256) ?? null;
    if (found !== null) this.#kept.set(sha256, found);
    return found;
  }

  #add(path: string): void {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (DIGEST.test(name)) this.#paths.set(name, path);
    else for (const bytes of contentsOf(path)) this.#paths.set(hash("sha256", bytes), path);
  }
}

/** A file, and the instructions of the programs in it. Empty if it cannot be read. */
function contentsOf(path: string): readonly Uint8Array[] {
  let file: Uint8Array;
  try {
    file = readInput(path);
  } catch {
    return [];
  }
  try {
    const objects = objectsOfFile(file).filter(({ bytes }) => isBpfElf(bytes));
    const programs = objects.flatMap(({ bytes }) => factsOfObject(bytes).programs);
    return [
      file,
      ...objects.map(({ bytes }) => bytes),
      ...programs.flatMap(({ insns, raw_insns }) => [insns, raw_insns]),
    ];
  } catch {
    return [file];
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
    return names
      .map((name) => join(folder, name))
      .filter((path) => {
        const stats = statSync(path, { throwIfNoEntry: false });
        return stats?.isFile() === true && stats.size <= MAX_INPUT;
      });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new CountersignError("FILE_UNREADABLE", `cannot be read: ${code ?? message}`, {
      place: folder,
      remedy: "name a folder",
      cause,
    });
  }
}
