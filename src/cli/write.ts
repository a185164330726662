import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CountersignError } from "../error.js";

/** Writes a file whole or not at all: whoever looks for it meanwhile finds what was there before, or this. Throws FILE_UNREADABLE. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const passing = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(passing, bytes, { flag: "wx" });
    renameSync(passing, path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? cause;
    throw new CountersignError("FILE_UNREADABLE", `cannot be written: ${code}`, {
      place: path,
      remedy: "check the folder and its permissions",
      cause,
    });
  }
}
