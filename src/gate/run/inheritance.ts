import { readdirSync, readFileSync } from "node:fs";
import { CountersignError } from "../../error.js";
import { nulStrings } from "../../input.js";
import { readLink, readSmall } from "../../sys/file.js";
import { copyFd } from "../../sys/native.js";

/** What a command inherits from the process that starts the gate, and what node does not pass on by itself. */
export interface Inheritance {
  /** Soft limit of open files (RLIMIT_NOFILE); 0 if it is unknown. */
  readonly openFiles: number;
  /** Fds above the standard ones, ascending. */
  readonly fds: readonly number[];
  /** The environment, each `NAME=value` as its original bytes. */
  readonly environment: readonly Uint8Array[];
}

/** Call this before the gate opens fds that stay open: they could be mistaken for inherited ones. */
export function inheritance(): Inheritance {
  return {
    openFiles: originalOpenFiles(),
    fds: inheritedFds(),
    environment: nulStrings(ownEnvironment()),
  };
}

/**
 * Reads the environment that execve(2) was given. It cannot be read if the user can execute but not read the gate's
 * executable: the process is then not dumpable and root owns its files in /proc (PR_SET_DUMPABLE of prctl(2)).
 */
function ownEnvironment(): Buffer {
  try {
    return readFileSync("/proc/self/environ");
  } catch (cause) {
    throw new CountersignError("GATE_UNSUPPORTED", "the gate cannot read `/proc/self/environ`", {
      cause,
      remedy: `mount /proc, and make \`${process.execPath}\` readable for this user`,
    });
  }
}

/**
 * The soft limit of open files with which the gate was started. Node raises its own soft limit to the hard limit at its
 * start, so this is the soft limit of the parent process, if both have the same hard limit; else 0.
 */
function originalOpenFiles(): number {
  const [, hard] = limits("self");
  const [soft, theirs] = limits(process.ppid);
  return hard !== undefined && theirs === hard ? (soft ?? 0) : 0;
}

/** Soft and hard limit from the line `Max open files            1024                 524288               files`. */
function limits(pid: number | "self"): number[] {
  const line = /^Max open files +(\d+) +(\d+) /m.exec(readSmall(`/proc/${pid}/limits`) ?? "");
  return line === null ? [] : [Number(line[1]), Number(line[2])];
}

/**
 * The fds that were open before node started. Node sets O_CLOEXEC on the inherited fds up to 16, and on all of its own.
 * So an fd without the flag is inherited; an fd with it is passed on only if it cannot be node's own. It may be node's
 * own if it is an eventfd, an epoll or an io_uring instance; if it is a pipe with both ends in this process, unless the
 * parent has the pipe too, as with make's jobserver; or if its number is above those of node's event fds, because the
 * kernel allocates the lowest free number first.
 */
function inheritedFds(): number[] {
  const fds = readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => fd > 2 && fd !== copyFd())
    .sort((a, b) => a - b)
    .map((fd) => ({ fd, is: readLink(`/proc/self/fd/${fd}`) ?? "", marked: isMarked(fd) }))
    .filter(({ is }) => is !== ""); // the fd of the folder itself, which is closed by now
  const last = fds.filter(({ is, marked }) => marked && OWN.has(is)).at(-1)?.fd ?? 0;
  const pipes = fds.filter(({ is }) => is.startsWith("pipe:")).map(({ is }) => is);
  const twice = new Set(pipes.filter((is, index) => pipes.indexOf(is) !== index));
  const theirs = twice.size === 0 ? new Set<string>() : pipesOf(process.ppid);
  const inherited = fds.filter(
    ({ fd, is, marked }) => !marked || (fd < last && !OWN.has(is) && (!twice.has(is) || theirs.has(is))),
  );
  return inherited.map(({ fd }) => fd);
}

/** Link targets in /proc/PID/fd of the kinds of fds that node opens for its event loop. */
const OWN: ReadonlySet<string> = new Set(
  ["[eventpoll]", "[eventfd]", "[io_uring]"].map((kind) => `anon_inode:${kind}`),
);

/** Whether execve(2) closes the fd: O_CLOEXEC in the octal flags of proc_pid_fdinfo(5). */
function isMarked(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(readSmall(`/proc/self/fdinfo/${fd}`) ?? "")?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & 0o2000000) !== 0;
}

/** The pipes that a process has open; empty if its fds cannot be read. */
function pipesOf(pid: number): Set<string> {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return new Set(fds.map((fd) => readLink(`/proc/${pid}/fd/${fd}`) ?? "").filter((is) => is.startsWith("pipe:")));
  } catch {
    return new Set();
  }
}
