import { closeSync, constants, openSync } from "node:fs";
import type { LogConfig } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { closeOnExec } from "../sys/process.js";
import type { Inheritance } from "./inheritance.js";

/** An open file description of the gate's own, so that a full pipe is an error here and blocks nobody else. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;

/**
 * What cannot be opened again: sockets, and files that this user may not open. They are written to as they were given.
 */
const AS_GIVEN: ReadonlySet<string> = new Set(["ENXIO", "EACCES", "EPERM"]);

/**
 * Takes an fd that the gate inherited for the log. The command does not get it. Throws FILE_UNREADABLE if the gate did
 * not inherit it, or cannot write to it.
 */
export function takeLogFd(fd: number, inherits: Inheritance): { readonly log: LogConfig; readonly rest: Inheritance } {
  if (!inherits.fds.includes(fd)) throw refused(fd, "is not open");
  closeOnExec(fd, true);
  const log = { file: `fd ${fd}`, fd: ownFd(fd), rotate: Number.POSITIVE_INFINITY, keep: 0 };
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
