import { createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import type { Writable } from "node:stream";
import { CountersignError } from "../../error.js";

/**
 * Has `write` write a file that only its owner may read. The file has its name when it is whole: until then it is
 * beside it, and is removed if writing fails. Throws USAGE for an empty path, FILE_UNREADABLE, and what `write` throws.
 */
export async function writeStreamed<T>(path: string, write: (out: Writable) => Promise<T>): Promise<T> {
  if (path === "")
    throw new CountersignError("USAGE", "the name of a file to write is empty", { remedy: "name a file" });
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new CountersignError("FILE_UNREADABLE", "is not a regular file", { place: path, remedy: "name a file" });
  const passing = `${path}.${process.pid}.new`;
  const out = createWriteStream(passing, { flags: "wx", mode: 0o600 });
  try {
    const written = await write(out);
    renameSync(passing, path);
    return written;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EEXIST") rmSync(passing, { force: true });
    if (cause instanceof CountersignError || code === undefined) throw cause;
    const remedy = "check the folder, its permissions and the space of the disk";
    throw new CountersignError("FILE_UNREADABLE", `cannot be written: ${code}`, { place: path, remedy, cause });
  }
}
