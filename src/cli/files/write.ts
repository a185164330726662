import { chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CountersignError } from "../../error.js";

/**
 * Writes a file atomically: a concurrent reader sees either the old or the new content. Throws USAGE for an empty path,
 * and FILE_UNREADABLE, also if the path is a device or a pipe, which the rename would replace. `mode` is the mode of
 * the file regardless of the umask.
 */
export function writeWhole(path: string, bytes: Uint8Array, mode?: number): void {
  if (path === "")
    throw new CountersignError("USAGE", "the name of a file to write is empty", { remedy: "name a file" });
  const passing = `${path}.${process.pid}.new`;
  let isOwn = false;
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new CountersignError("FILE_UNREADABLE", "is not a regular file", { place: path, remedy: "name a file" });
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(passing, "wx", mode ?? 0o666);
    isOwn = true;
    try {
      writeFileSync(fd, bytes);
    } finally {
      closeSync(fd);
    }
    if (mode !== undefined) chmodSync(passing, mode);
    renameSync(passing, path);
  } catch (cause) {
    if (isOwn) removeFile(passing);
    if (cause instanceof CountersignError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? cause;
    throw new CountersignError("FILE_UNREADABLE", `cannot be written: ${code}`, {
      place: path,
      remedy: "check the folder and its permissions",
      cause,
    });
  }
}

/** Removes what was written in part. The caller reports why it failed, and not that it cannot be removed. */
function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {}
}
