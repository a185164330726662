import { ERRNO } from "../errno.js";
import { cString } from "./file.js";
import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

const AT_FDCWD = -100;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_NOFOLLOW = 0o400000;
const O_CLOEXEC = 0o2000000;
/** LOCK_EX and LOCK_NB of asm-generic/fcntl.h. */
const EXCLUSIVE_NOW = 2 | 4;

/**
 * Opens or creates a file and locks it until the fd is closed or the process exits (flock(2)). Returns an fd or a
 * negative errno; EAGAIN if another process has the lock.
 */
export function openLocked(path: string): number {
  const fd = syscall(NR.openat, AT_FDCWD, cString(path), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600);
  if (fd < 0) return fd;
  const locked = syscall(NR.flock, fd, EXCLUSIVE_NOW);
  if (locked >= 0) return fd;
  syscall(NR.close, fd);
  return locked;
}

/** Whether {@link openLocked} failed because another process has the lock. */
export function isHeld(result: number): boolean {
  return result === -ERRNO.EAGAIN;
}
