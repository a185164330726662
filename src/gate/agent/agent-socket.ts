import { fstatSync, lstatSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { ERRNO, errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { isHeld, openLocked } from "../../sys/lock.js";
import { close } from "../../sys/pidfd.js";
import { whenReadable } from "../../sys/readable.js";
import { bindTo, connectTo, listenOn, MAX_PATH, newSocket } from "../../sys/socket.js";

/** Identity of the file at a path. Another file of the same name has other numbers. */
interface File {
  readonly dev: number;
  readonly ino: number;
}

/**
 * The socket in the file system to which runtimes connect, with mode 0600. Only one agent can use a path: it locks the
 * file `PATH.lock` until it exits. A socket that a killed agent left at the path is replaced; nothing else is.
 */
export class AgentSocket {
  private constructor(
    readonly fd: number,
    private readonly path: string,
    private readonly file: File,
    private readonly lock: number,
    private readonly stopWatching: () => void,
  ) {}

  /** Calls `ready` at each connection. Throws SOCKET_UNUSABLE. */
  static open(path: string, ready: () => void): AgentSocket {
    requirePlainPath(path);
    const lock = takeLock(path);
    let fd = -1;
    try {
      removeStale(path);
      fd = bound(path);
      const { dev, ino } = lstatSync(path);
      const listening = listenOn(fd);
      if (listening < 0)
        throw unusable(
          path,
          `listening failed: ${errorName(-listening)}`,
          "check the logs of the security module (SELinux, AppArmor) and the limit of memory",
        );
      return new AgentSocket(fd, path, { dev, ino }, lock, whenReadable(fd, ready).close);
    } catch (error) {
      if (fd >= 0) close(fd);
      releaseLock(path, lock);
      throw error;
    }
  }

  /** Whether the path still refers to this socket. */
  get isReachable(): boolean {
    return refersTo(this.path, this.file);
  }

  /**
   * Removes the lock, and the path if it still refers to this socket. Does not throw: the next agent replaces what is
   * left.
   */
  close(): void {
    this.stopWatching();
    if (refersTo(this.path, this.file)) remove(this.path);
    close(this.fd);
    releaseLock(this.path, this.lock);
  }
}

function unusable(path: string, message: string, remedy: string): CountersignError {
  return new CountersignError("SOCKET_UNUSABLE", message, { place: path, remedy });
}

const ANOTHER_PATH = "give this agent another --socket";

function requirePlainPath(path: string): void {
  if (path.startsWith("@"))
    throw unusable(path, "an abstract socket takes connections of every user", "name a path in the file system");
  const length = Buffer.byteLength(path);
  if (length > MAX_PATH || path.includes("\0"))
    throw unusable(
      path,
      `a socket's path has at most ${MAX_PATH} bytes, and this one has ${length}`,
      "choose a shorter one",
    );
}

/**
 * Takes the lock. Its holder removes the lock file when it exits, so a lock is valid only if the path still refers to
 * the locked file; otherwise try again. The file contains the process id of the holder.
 */
function takeLock(path: string): number {
  const name = lockOf(path);
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const lock = openLocked(name);
    if (isHeld(lock))
      throw unusable(path, `another agent${holder(name)} has this socket`, `stop that one, or ${ANOTHER_PATH}`);
    if (lock < 0)
      throw unusable(
        path,
        `\`${name}\` cannot be locked: ${errorName(-lock)}`,
        "check that its folder is there and writable",
      );
    if (refersTo(name, fstatSync(lock))) {
      writeSync(lock, `${process.pid}\n`, 0);
      return lock;
    }
    close(lock);
  }
  throw unusable(path, `\`${name}\` is replaced again and again`, "check who else writes to its folder");
}

const MOST_TRIES = 100;

function releaseLock(path: string, lock: number): void {
  remove(lockOf(path));
  close(lock);
}

function lockOf(path: string): string {
  return `${path}.lock`;
}

function holder(name: string): string {
  try {
    const pid = /^\d+(?=\n)/.exec(readFileSync(name, "latin1"))?.[0];
    return pid === undefined ? "" : ` (process ${pid})`;
  } catch {
    return "";
  }
}

/**
 * Removes a stale socket from the path: one of this user on which no process listens. Throws if the path is in use or
 * refers to another file.
 */
function removeStale(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw unusable(path, "something else than a socket is there", `remove it, or ${ANOTHER_PATH}`);
  if (there.uid !== process.geteuid?.())
    throw unusable(path, `the socket there belongs to uid ${there.uid}`, `remove it, or ${ANOTHER_PATH}`);
  const answer = connectTo(path);
  if (answer === -ERRNO.ENOENT) return;
  if (answer !== -ERRNO.ECONNREFUSED)
    throw unusable(path, `another process listens at this socket`, `stop that one, or ${ANOTHER_PATH}`);
  if (refersTo(path, there)) remove(path);
}

/**
 * Creates a socket that is bound to the path. The umask gives it mode 0600 from the start, so no other user can connect
 * at any time.
 */
function bound(path: string): number {
  const fd = newSocket();
  const mask = process.umask(0o177);
  const result = bindTo(fd, path);
  process.umask(mask);
  if (result >= 0) return fd;
  close(fd);
  throw unusable(
    path,
    `the socket cannot be bound: ${errorName(-result)}`,
    "check that its folder is there and writable",
  );
}

function refersTo(path: string, { dev, ino }: File): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  return there !== undefined && there.dev === dev && there.ino === ino;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // the file or its folder does not exist any more
  }
}
