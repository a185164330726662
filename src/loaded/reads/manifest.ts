import { VERSION } from "../../version.js";
import { invalidArchive } from "./saved-error.js";
import type { SavedResult } from "./saving.js";

/** The name of the last file of an archive: a line for the archive, and one for each result. */
export const MANIFEST = "manifest.jsonl";

/** The version of archives: raised if a result of the same name has another form. */
const FORMAT = 1;

/** The first line. `time` is that of the beginning of the scan. */
export function archiveLine(time: Date): string {
  return JSON.stringify({ kind: "archive", version: FORMAT, countersign: VERSION, time: time.toISOString() });
}

/** The line of a result. A result with an errno is in no file of the archive. */
export function manifestLine({ name, time, errno, size, sha256 }: SavedResult): string {
  return JSON.stringify({ kind: "result", name, time: time.toISOString(), errno, size, sha256 });
}

/** Reads the lines of a manifest. Throws SCAN_ARCHIVE_INVALID. */
export function* manifestResults(text: string): Generator<Omit<SavedResult, "time">> {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw wrong(lines.length + 1, "is cut");
  for (const [index, line] of lines.entries()) {
    const value = parsed(line, index + 1);
    if (index === 0) requireVersion(value);
    else yield resultOf(value, index + 1);
  }
  if (lines.length === 0) throw wrong(1, "is missing");
}

type Fields = Readonly<Record<string, unknown>>;

function requireVersion({ kind, version }: Fields): void {
  if (kind !== "archive" || typeof version !== "number") throw wrong(1, "is no line of an archive");
  if (version !== FORMAT) throw wrong(1, `has version ${version}, and not ${FORMAT}`);
}

/** MAX_ERRNO of linux/err.h. */
const MAX_ERRNO = 4095;

function resultOf({ kind, name, errno, size, sha256 }: Fields, line: number): Omit<SavedResult, "time"> {
  if (kind !== "result") throw wrong(line, "is no line of a result");
  if (typeof name !== "string") throw wrong(line, "has no name");
  if (!isCount(size)) throw wrong(line, "has no size");
  if (errno !== null && !(isCount(errno) && errno > 0 && errno <= MAX_ERRNO)) throw wrong(line, "has no errno");
  if (errno !== null && size !== 0) throw wrong(line, "has an errno and a size");
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) throw wrong(line, "has no SHA-256");
  return { name, errno, size, sha256 };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parsed(line: string, number: number): Fields {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Fields;
  } catch {}
  throw wrong(number, "is no object of JSON");
}

function wrong(line: number, message: string): Error {
  return invalidArchive(message, `${MANIFEST}:${line}`);
}
