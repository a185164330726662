import { fstatSync, lstatSync, readFileSync, unlinkSync, writeSync } from "node:fs";
import { ERRNO, errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { isHeld, openLocked } from "../sys/lock.js";
import { close } from "../sys/pidfd.js";
import { bindTo, connectTo, listenOn, MAX_PATH, newSocket, whenReadable } from "../sys/socket.js";

/** What a path refers to: another file of the same name has other numbers. */
interface File {
  readonly dev: number;
  readonly ino: number;
}

/**
 * The socket in the file system that runtimes connect to, mode 0600. There is one agent for each path: it holds a lock
 * on the file `PATH.lock` for as long as it lives. What an agent that was killed left at the path is replaced, and only
 * that.
 */
export class AgentSocket {
  private constructor(
    readonly fd: number,
    private readonly path: string,
    private readonly file: File,
    private readonly lock: number,
    private readonly stopWatching: () => void,
  ) {}

  /** `ready` is called whenever somebody connects. Throws SOCKET_UNUSABLE. */
  static open(path: string, ready: () => void): AgentSocket {
    requirePlainPath(path);
    const lock = takeLock(path);
    let fd = -1;
    try {
      removeStale(path);
      fd = bound(path);
      const { dev, ino } = lstatSync(path);
      const listening = listenOn(fd);
      if (listening < 0) throw unusable(path, `listening failed: ${errorName(-listening)}`, "try again");
      return new AgentSocket(fd, path, { dev, ino }, lock, whenReadable(fd, ready));
    } catch (error) {
      if (fd >= 0) close(fd);
      releaseLock(path, lock);
      throw error;
    }
  }

  /** Removes the path if it still refers to this socket, and the lock. Throws nothing: whatever is left is stale. */
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
 * The file of the lock is removed by whoever holds the lock, so that a lock counts only if its file still stands at the
 * path. The file names the process that holds it.
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
 * Leaves the path free, or throws: of a socket that nobody listens at, and that is this user's own, only the name is
 * left.
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

/** A socket that is bound to the path, which nobody but this user could connect to at any time. */
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
    // it is gone, or its folder is
  }
}
