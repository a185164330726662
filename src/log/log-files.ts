import { closeSync, fstatSync, openSync, readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { CountersignError } from "../error.js";

/** An open file of a log. Whoever reads it closes `fd`, except for standard input. */
export interface LogFile {
  readonly path: string;
  readonly fd: number;
}

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

/**
 * Opens logs, each with the rotated files beside it: `FILE.N`, or `FILE.N.gz` where there is no `FILE.N`. The oldest
 * file of each log comes first. A file that is named twice, as by `FILE*`, is opened once. Throws FILE_UNREADABLE.
 *
 * A rotation meanwhile loses no record that was there at the start: the newest file is opened first, so that a file
 * that is renamed is at most found again.
 */
export function openLogs(paths: readonly string[]): readonly LogFile[] {
  const known = new Set<string>();
  const files: LogFile[] = [];
  try {
    for (const path of paths) {
      const log = openLog(path).map((file) => ({ ...file, isNew: isNew(file, known) }));
      files.push(...log.filter((file) => file.isNew).reverse());
      for (const { fd, isNew } of log) if (!isNew) closeSync(fd);
    }
  } catch (error) {
    for (const file of files) closeLogFile(file);
    throw error;
  }
  return files;
}

export function closeLogFile({ path, fd }: LogFile): void {
  if (path !== STANDARD_INPUT) closeSync(fd);
}

/** The rotated files beside a log, the newest first. */
export function rotatedFiles(path: string): readonly string[] {
  const names = new Set(namesIn(dirname(path)));
  const prefix = `${basename(path)}.`;
  const numbers = [...names]
    .filter((name) => name.startsWith(prefix))
    .map((name) => /^([1-9]\d*)(?:\.gz)?$/.exec(name.slice(prefix.length))?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number);
  return [...new Set(numbers)]
    .sort((a, b) => a - b)
    .map((number) => (names.has(`${prefix}${number}`) ? `${path}.${number}` : `${path}.${number}.gz`));
}

/** What to do about a file that is not there, or is no log. */
export const NAME_A_LOG = "name a decision log, which `log` of a configuration or `check --log` writes";

/** The files of one log, the newest first. The log itself can be missing while another process rotates it. */
function openLog(path: string): readonly LogFile[] {
  if (path === STANDARD_INPUT) return [{ path, fd: 0 }];
  const newest = opened(path);
  const files = [newest, ...rotatedFiles(path).map(opened)].filter((file) => file !== null);
  if (files.length > 0) return files;
  throw new CountersignError("FILE_UNREADABLE", "cannot be read: ENOENT", {
    place: path,
    remedy: NAME_A_LOG,
  });
}

/** Null if the file does not exist, or no longer. */
function opened(path: string): LogFile | null {
  try {
    const fd = openSync(path, "r");
    if (!fstatSync(fd).isDirectory()) return { path, fd };
    closeSync(fd);
    throw Object.assign(new Error("is a folder"), { code: "EISDIR" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw unreadable(path, cause);
  }
}

/** The error for a log that cannot be opened or read. */
export function unreadable(path: string, cause: unknown): CountersignError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new CountersignError("FILE_UNREADABLE", `cannot be read: ${code ?? message}`, {
    place: path,
    remedy: "check that it is a file, and its permissions",
    cause,
  });
}

function isNew({ path, fd }: LogFile, known: Set<string>): boolean {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  const key = path === STANDARD_INPUT ? path : `${dev}:${ino}`;
  if (known.has(key)) return false;
  known.add(key);
  return true;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the error of opening the log itself says more
  }
}
