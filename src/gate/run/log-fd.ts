import { closeSync, constants, openSync } from "node:fs";
import type { LogConfig } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { closeOnExec } from "../../sys/process.js";
import type { Inheritance } from "./inheritance.js";

/**
 * The gate opens the file again, to have its own open file description: with O_NONBLOCK a full pipe is then an error
 * for the gate, and the other processes that have the pipe keep a blocking one.
 */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

/**
 * Errors of files that cannot be opened again: sockets, and files without permission for this user. The gate then
 * writes to the inherited fd itself.
 */
const AS_GIVEN: ReadonlySet<string> = new Set(["ENXIO", "EACCES", "EPERM"]);

/**
 * Takes an inherited fd for the decision log, whose other settings are those that are configured. The command does not
 * inherit it. Throws FILE_UNREADABLE if the gate did not inherit the fd or cannot write to it.
 */
export function takeLogFd(
  fd: number,
  inherits: Inheritance,
  configured: LogConfig | null = null,
): { readonly log: LogConfig; readonly rest: Inheritance } {
  if (!inherits.fds.includes(fd)) throw refused(fd, "is not open");
  closeOnExec(fd, true);
  const file = { file: `fd ${fd}`, fd: ownFd(fd), rotate: Number.POSITIVE_INFINITY, keep: 0 };
  const log = { ...configured, ...file };
  return { log, rest: { ...inherits, fds: inherits.fds.filter((one) => one !== fd) } };
}

function ownFd(fd: number): number {
  try {
    const own = openSync(`/proc/self/fd/${fd}`, APPEND);
    closeSync(fd);
    return own;
  } catch (cause) {
    const { code = "an error" } = cause as NodeJS.ErrnoException;
    if (AS_GIVEN.has(code)) return fd;
    throw refused(fd, `cannot be written to: ${code}`, cause);
  }
}

function refused(fd: number, message: string, cause?: unknown): CountersignError {
  return new CountersignError("FILE_UNREADABLE", `the log ${message}`, {
    place: `fd ${fd}`,
    remedy: "open it for writing in the shell that starts the gate, as in `3>>decisions.jsonl`",
    cause,
  });
}
