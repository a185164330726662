import { createHash } from "node:crypto";
import { extract } from "tar-stream";
import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { readInput } from "../../input.js";
import { MANIFEST, manifestResults } from "./manifest.js";
import type { Raw, Reads } from "./reads.js";
import { invalidArchive } from "./saved-error.js";

/** Maximum size of an archive in bytes. That of a machine with 10,000 programs has less. */
const MAX_ARCHIVE = 2 ** 30;
/** Maximum length of a name: that of a path with each byte escaped (PATH_MAX of linux/limits.h), and some more. */
const MAX_NAME = 3 * 4096 + 256;
/** Maximum number of components of a name: folders are read by recursion. */
const MAX_DEPTH = 1024;
/** What {@link components} and the views give: no component is empty, `.` or `..`. */
const NAME = /^(?!\.{1,2}(?:\/|$))[A-Za-z0-9!'()*_.~%@-]+(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9!'()*_.~%@-]+)*$/;

/** An archive of what a kernel answered to a scan. Nothing is read from the running kernel. */
class Archive implements Reads {
  readonly isLive = false;
  readonly #results: ReadonlyMap<string, Raw>;
  readonly #missing = new Set<string>();

  constructor(results: ReadonlyMap<string, Raw>) {
    this.#results = results;
  }

  get missing(): readonly string[] {
    return [...this.#missing];
  }

  /** ENODATA for a name that the archive does not have. */
  bytes(name: string): Raw {
    const found = this.#results.get(name);
    if (found === undefined) this.#missing.add(name);
    return found ?? -ERRNO.ENODATA;
  }

  live(): void {}

  stored(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * Opens an archive and checks it: each result has a line of the manifest, with its size and SHA-256, and each line its
 * result. Throws SCAN_ARCHIVE_INVALID, FILE_UNREADABLE, FILE_TOO_LARGE.
 */
export async function openArchive(file: string): Promise<Reads> {
  const bytes = readInput(file, MAX_ARCHIVE);
  try {
    return new Archive(await resultsIn(bytes));
  } catch (error) {
    if (error instanceof CountersignError) throw error.within(file);
    // errors of tar-stream have no class of their own
    throw invalidArchive(`is no whole tar: ${(error as Error).message}`, file, error);
  }
}

/** The results of an archive by name. */
async function resultsIn(bytes: Uint8Array): Promise<ReadonlyMap<string, Raw>> {
  const files = await filesIn(bytes);
  const manifest = files.get(MANIFEST);
  if (manifest === undefined) throw invalidArchive("has no manifest: it is cut, or not an archive of a scan");
  files.delete(MANIFEST);
  const results = new Map<string, Raw>();
  for (const { name, errno, size, sha256 } of manifestResults(Buffer.from(manifest).toString("utf8"))) {
    requireName(name);
    if (results.has(name)) throw invalidArchive("is twice in the manifest", name);
    const found = files.get(name);
    if (errno !== null) {
      if (found !== undefined) throw invalidArchive("is in the archive, and the manifest has an errno for it", name);
      results.set(name, -errno);
      continue;
    }
    if (found === undefined) throw invalidArchive("is in the manifest, and not in the archive", name);
    if (found.byteLength !== size) throw invalidArchive(`has ${found.byteLength} bytes, and not ${size}`, name);
    if (createHash("sha256").update(found).digest("hex") !== sha256)
      throw invalidArchive("has another SHA-256 than in the manifest", name);
    results.set(name, found);
  }
  for (const name of files.keys())
    if (!results.has(name)) throw invalidArchive("is in the archive, and not in the manifest", name);
  return results;
}

async function filesIn(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const tar = extract();
  tar.end(bytes);
  for await (const entry of tar) {
    const { name, type, size } = entry.header;
    requireName(name);
    if (type !== "file") throw invalidArchive("is no file", name);
    if (files.has(name)) throw invalidArchive("is twice in the archive", name);
    if (size > bytes.byteLength) throw invalidArchive(`has ${size} bytes, more than the archive`, name);
    const parts: Uint8Array[] = [];
    for await (const part of entry) parts.push(part as Uint8Array);
    files.set(name, parts.length === 1 ? parts[0]! : Buffer.concat(parts));
  }
  return files;
}

function requireName(name: string): void {
  const isName = name.length <= MAX_NAME && NAME.test(name) && name.split("/").length <= MAX_DEPTH;
  if (!isName) throw invalidArchive("is no name of a result", name.slice(0, 100));
}
