import { ERRNO } from "../errno.js";
import { inodeOf, openFile, readSmall } from "./file.js";
import { Fixed, must, syscall } from "./libc.js";
import { NR } from "./numbers.js";
import { eventFd } from "./poll.js";

/** PIDFD_THREAD of linux/pidfd.h (Linux 6.9): the pidfd refers to one thread, which need not be a group leader. */
const PIDFD_THREAD = 0o200;

/**
 * Opens a pidfd for a thread; a negative errno on failure. Before Linux 6.9 the pidfd is that of the thread group
 * leader, which has the same fds as the thread unless the thread has unshared them.
 */
export function openThread(tid: number, tgid: number): number {
  const fd = syscall(NR.pidfd_open, tid, PIDFD_THREAD);
  return fd === -ERRNO.EINVAL ? syscall(NR.pidfd_open, tgid, 0) : fd;
}

/** Ids of a thread, read by one system call. They are valid in the gate's pid and user namespaces. */
export interface ThreadInfo {
  readonly tgid: number;
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly egid: number;
  /** The id of its cgroup in the unified hierarchy; null if it is no safe integer or not provided. */
  readonly cgroup: number | null;
}

/**
 * PIDFD_GET_INFO of linux/pidfd.h (Linux 6.13): _IOWR(0xff, 11, struct pidfd_info), 64 bytes: mask u64 0 ·
 * cgroupid u64 8 · pid 16 · tgid 20 · ppid 24 · ruid 28 · rgid 32 · euid 36 · egid 40 · suid,
 * sgid, fsuid, fsgid · exit_code 60.
 */
const PIDFD_GET_INFO = 0xc040ff0b;
const PIDFD_INFO_SIZE = 64;
const INFO_PID = 1;
const INFO_CREDS = 2;
const INFO_CGROUPID = 4;

/** Returns null if the thread has exited or the kernel is older than 6.13. /proc has the same data but is slower. */
export function threadInfo(pidfd: number): ThreadInfo | null {
  if (!getInfo(pidfd, INFO_PID | INFO_CREDS | INFO_CGROUPID, INFO_CREDS)) return null;
  return { tgid: info[5]!, uid: info[7]!, gid: info[8]!, euid: info[9]!, egid: info[10]!, cgroup: cgroupId() };
}

function cgroupId(): number | null {
  const id = info[2]! + info[3]! * 2 ** 32;
  return (info[0]! & INFO_CGROUPID) !== 0 && Number.isSafeInteger(id) ? id : null;
}

const INFO_EXIT = 8;

/**
 * Returns the wait(2) status of a process that has exited and been reaped; null if it is unknown, as before Linux 6.15.
 */
export function exitStatus(pidfd: number): number | null {
  return getInfo(pidfd, INFO_EXIT, INFO_EXIT) ? info[15]! | 0 : null;
}

/**
 * Requests the parts `asked`. Returns whether the kernel provided the part `needed`. All flags are in the low word of
 * the mask.
 */
function getInfo(pidfd: number, asked: number, needed: number): boolean {
  info.fill(0);
  info[0] = asked;
  return syscall(NR.ioctl, pidfd, PIDFD_GET_INFO, INFO) >= 0 && (info[0]! & needed) !== 0;
}

/** struct pidfd_info in words of 32 bits; valid until the next call. */
const { memory: info, address: INFO } = new Fixed(new Uint32Array(PIDFD_INFO_SIZE / 4));

/**
 * Identifies a process among all since the machine started: by the inode number of its pidfd, which from Linux 6.9 on
 * is that of no other (pidfs); before, by when it started, in ticks of 10 ms. Empty if it has exited.
 */
export function processIdentity(tgid: number): string {
  const pidfd = openProcess(tgid);
  if (pidfd < 0) return "";
  const inode = inodeOf(pidfd);
  const number = inode === null || inode === anonymousInode() ? startOf(tgid) : String(inode);
  close(pidfd);
  return number === null ? "" : `${tgid} ${number}`;
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)); null if the process has exited. */
function startOf(tgid: number): string | null {
  const fields = readSmall(`/proc/${tgid}/stat`)?.replace(/^.*\)/s, "").split(" ");
  return fields?.[22 - 2] ?? null;
}

let anonymous: bigint | null | undefined;

/** The inode number that all anonymous files share, pidfds before Linux 6.9 among them. */
function anonymousInode(): bigint | null {
  if (anonymous === undefined) {
    const fd = must(eventFd(), "making an eventfd");
    anonymous = inodeOf(fd);
    close(fd);
  }
  return anonymous;
}

/** Opens a pidfd for a process; a negative errno on failure. */
export function openProcess(pid: number): number {
  return syscall(NR.pidfd_open, pid, 0);
}

/**
 * Copies another task's fd, close-on-exec (pidfd_getfd(2)). Returns a negative errno on failure; EBADF if the task has
 * no such fd.
 */
export function takeFd(pidfd: number, fd: number): number {
  return syscall(NR.pidfd_getfd, pidfd, fd, 0);
}

/** Sends a signal to the process of a pidfd, which cannot reach another process that reuses the process id. */
export function signalProcess(pidfd: number, signal: number): number {
  return syscall(NR.pidfd_send_signal, pidfd, signal, 0, 0);
}

/** NS_GET_TGID_FROM_PIDNS of linux/nsfs.h (Linux 6.11): _IOR(0xb7, 7, int), with the number itself for its argument. */
const NS_GET_TGID_FROM_PIDNS = 0x8004b707;

/** Translates a process id of a task's pid namespace to that of the gate; a negative errno on failure. */
export function processFrom(tid: number, number: number): number {
  const namespace = openFile(`/proc/${tid}/ns/pid`);
  if (namespace < 0) return namespace;
  const found = syscall(NR.ioctl, namespace, NS_GET_TGID_FROM_PIDNS, number);
  close(namespace);
  return found;
}

/** Makes the fd `number` refer to the file of `fd`, close-on-exec (dup3(2)). Its former file is closed. */
export function moveTo(number: number, fd: number): void {
  must(syscall(NR.dup3, fd, number, O_CLOEXEC), "keeping a pidfd");
}

const O_CLOEXEC = 0o2000000;

export function close(fd: number): void {
  if (fd >= 0) syscall(NR.close, fd);
}
