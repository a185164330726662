import { chmodSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CountersignError } from "../../error.js";

/**
 * Writes a file atomically: a concurrent reader sees either the old or the new content. Throws FILE_UNREADABLE, also if
 * the path is a device or a pipe, which the rename would replace. `mode` is the mode of the file regardless of the
 * umask.
 */
export function writeWhole(path: string, bytes: Uint8Array, mode?: number): void {
  const passing = `${path}.${process.pid}.new`;
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
      throw new CountersignError("FILE_UNREADABLE", "is not a regular file", { place: path, remedy: "name a file" });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(passing, bytes, { flag: "wx", mode: mode ?? 0o666 });
    if (mode !== undefined) chmodSync(passing, mode);
    renameSync(passing, path);
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? cause;
    throw new CountersignError("FILE_UNREADABLE", `cannot be written: ${code}`, {
      place: path,
      remedy: "check the folder and its permissions",
      cause,
    });
  }
}
