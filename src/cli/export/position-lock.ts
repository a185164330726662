import { writeSync } from "node:fs";
import { errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { readSmall } from "../../sys/file.js";
import { isHeld, openLocked } from "../../sys/lock.js";
import { close } from "../../sys/pidfd.js";

/**
 * The lock of a position, `POSITION.lock`: two exports that move one position would each skip what the other one has
 * sent. The kernel releases it when the process ends. The file stays, since another process may wait to open it.
 */
export class PositionLock {
  private constructor(private readonly fd: number) {}

  /**
   * Returns null on a platform without the gate's system calls, where nothing is locked. Throws EXPORT_RUNNING if
   * another process has the lock, FILE_UNREADABLE if the file cannot be opened.
   */
  static take(position: string): PositionLock | null {
    if (process.platform !== "linux" || process.arch !== "x64") return null;
    const path = `${position}.lock`;
    const fd = openLocked(path);
    if (isHeld(fd))
      throw new CountersignError("EXPORT_RUNNING", `another export${holderOf(path)} uses this position`, {
        place: position,
        remedy: "stop that one, or give this one a position of its own with --position",
      });
    if (fd < 0)
      throw new CountersignError("FILE_UNREADABLE", `cannot be locked: ${errorName(-fd)}`, {
        place: path,
        remedy: "check that its folder is there and writable, or name another file with --position",
      });
    writeSync(fd, String(process.pid).padEnd(DIGITS), 0);
    return new PositionLock(fd);
  }

  release(): void {
    close(this.fd);
  }
}

/** Digits of the largest process id, so that a shorter one replaces it. */
const DIGITS = 10;

function holderOf(path: string): string {
  const [, pid] = /^(\d+) *$/.exec(readSmall(path) ?? "") ?? [];
  return pid === undefined ? "" : ` (process ${pid})`;
}
