import { readdirSync, readFileSync } from "node:fs";
import { CountersignError } from "../../error.js";
import { nulStrings } from "../../input.js";
import { readLink, readSmall } from "../sys/file.js";
import { copyFd } from "../sys/native.js";

/** What a command inherits from whoever starts it, and node does not hand on by itself. */
export interface Inheritance {
  /** Its soft limit of open files; 0 where it cannot be told. */
  readonly openFiles: number;
  /** Fds above the standard ones, ascending. */
  readonly fds: readonly number[];
  /** Its environment, each `NAME=value` in the bytes that it has. */
  readonly environment: readonly Uint8Array[];
}

/** To be asked before the gate opens anything that lasts. */
export function inheritance(): Inheritance {
  return {
    openFiles: originalOpenFiles(),
    fds: inheritedFds(),
    environment: nulStrings(ownEnvironment()),
  };
}

/**
 * A process whose executable its user can execute and not read has files in /proc that belong to root, and cannot be
 * traced.
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
 * Node raises its own limit to the hard one as it starts, so it is that of whoever started the gate, if the hard limit
 * is the same.
 */
function originalOpenFiles(): number {
  const [, hard] = limits("self");
  const [soft, theirs] = limits(process.ppid);
  return hard !== undefined && theirs === hard ? (soft ?? 0) : 0;
}

/** `Max open files            1024                 524288               files` */
function limits(pid: number | "self"): number[] {
  const line = /^Max open files +(\d+) +(\d+) /m.exec(readSmall(`/proc/${pid}/limits`) ?? "");
  return line === null ? [] : [Number(line[1]), Number(line[2])];
}

/**
 * The fds that were there before node was. Node has marked those up to 16 to be closed by execve, as its own always
 * are, so that kinds have to tell them apart, and what could be node's own is never handed to a command: an eventfd or
 * a set of epoll; a pipe with both its ends here, unless the parent has it too, as that of make's jobs; and whatever
 * lies above node's first fds and is marked, for the lowest free number is given out first.
 */
function inheritedFds(): number[] {
  const fds = readdirSync("/proc/self/fd")
    .map(Number)
    .filter((fd) => fd > 2 && fd !== copyFd())
    .sort((a, b) => a - b)
    .map((fd) => ({ fd, is: readLink(`/proc/self/fd/${fd}`) ?? "", marked: isMarked(fd) }))
    .filter(({ is }) => is !== ""); // the folder itself, closed again
  const last = fds.filter(({ is, marked }) => marked && OWN.has(is)).at(-1)?.fd ?? 0;
  const pipes = fds.filter(({ is }) => is.startsWith("pipe:")).map(({ is }) => is);
  const twice = new Set(pipes.filter((is, index) => pipes.indexOf(is) !== index));
  const theirs = twice.size === 0 ? new Set<string>() : pipesOf(process.ppid);
  const inherited = fds.filter(
    ({ fd, is, marked }) => !marked || (fd < last && !OWN.has(is) && (!twice.has(is) || theirs.has(is))),
  );
  return inherited.map(({ fd }) => fd);
}

const OWN: ReadonlySet<string> = new Set(
  ["[eventpoll]", "[eventfd]", "[io_uring]"].map((kind) => `anon_inode:${kind}`),
);

/** Whether execve closes it: O_CLOEXEC among the flags, in octal, of proc_pid_fdinfo(5). */
function isMarked(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(readSmall(`/proc/self/fdinfo/${fd}`) ?? "")?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & 0o2000000) !== 0;
}

/** None where they cannot be seen. */
function pipesOf(pid: number): Set<string> {
  try {
    const fds = readdirSync(`/proc/${pid}/fd`);
    return new Set(fds.map((fd) => readLink(`/proc/${pid}/fd/${fd}`) ?? "").filter((is) => is.startsWith("pipe:")));
  } catch {
    return new Set();
  }
}
