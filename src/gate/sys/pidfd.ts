import { ERRNO } from "../../errno.js";
import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** PIDFD_THREAD of linux/pidfd.h (Linux 6.9): the fd is for one thread, leader or not. */
const PIDFD_THREAD = 0o200;

/**
 * A pidfd for a thread, or a negative errno. Before 6.9 only a process has one: the leader's then, which shares its fds
 * with its threads unless one has unshared them.
 */
export function openThread(tid: number, tgid: number): number {
  const fd = syscall(NR.pidfd_open, tid, PIDFD_THREAD);
  return fd === -ERRNO.EINVAL ? syscall(NR.pidfd_open, tgid, 0) : fd;
}

/** A copy of another task's fd, close-on-exec, or a negative errno: EBADF where it has no such fd. */
export function takeFd(pidfd: number, fd: number): number {
  return syscall(NR.pidfd_getfd, pidfd, fd, 0);
}

/** Sends a signal to the process behind a pidfd, which cannot have become another one meanwhile. */
export function signalProcess(pidfd: number, signal: number): number {
  return syscall(NR.pidfd_send_signal, pidfd, signal, 0, 0);
}

export function close(fd: number): void {
  if (fd >= 0) syscall(NR.close, fd);
}
