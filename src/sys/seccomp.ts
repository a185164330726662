import { addressOf, Fixed, keepAlive, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** Sizes in bytes of struct seccomp_notif, seccomp_notif_resp and seccomp_notif_addfd (linux/seccomp.h). */
export const NOTIFICATION_SIZE = 80;
export const RESPONSE_SIZE = 24;
const ADDFD_SIZE = 24;

/** Flags of seccomp(2) and of the listener's ioctls (linux/seccomp.h). */
export const SET_MODE_FILTER = 1;
export const FILTER_FLAG_NEW_LISTENER = 1 << 3;
const FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5;
const ADDFD_FLAG_SEND = 1 << 1;
const FD_SYNC_WAKE_UP = 1;
const O_CLOEXEC = 0o2000000;

/** The listener's ioctls, which encode the sizes above: _IOWR('!', N) for 0 and 1, and _IOW('!', N) for 2 to 4. */
const IOCTL = { recv: 0xc0502100, send: 0xc0182101, idValid: 0x40082102, addfd: 0x40182103, setFlags: 0x40082104 };

/**
 * Installs a filter (an array of struct sock_filter, 8 bytes each) on the calling thread. Returns its listener or a
 * negative errno: EBUSY if the thread has a filter with a listener already, EACCES without CAP_SYS_ADMIN and
 * no_new_privs. With WAIT_KILLABLE_RECV only fatal signals interrupt a task whose call was received, so that no call is
 * restarted and executed twice.
 */
export function installFilter(filter: Uint8Array): number {
  const program = new DataView(new ArrayBuffer(16));
  program.setUint16(0, filter.byteLength / 8, true);
  program.setBigUint64(8, BigInt(addressOf(filter)), true);
  return syscall(
    NR.seccomp,
    SET_MODE_FILTER,
    FILTER_FLAG_NEW_LISTENER | FILTER_FLAG_WAIT_KILLABLE_RECV,
    keepAlive(program, filter),
  );
}

/**
 * Makes the kernel wake a thread that waits for the listener by poll(2) (see Poll) on the CPU of the task that calls: a
 * round trip then takes 5 µs instead of 40 µs. Returns 0 or a negative errno; before Linux 6.6 it fails.
 */
export function wakeOnSameCpu(listener: number): number {
  return syscall(NR.ioctl, listener, IOCTL.setFlags, FD_SYNC_WAKE_UP);
}

/**
 * Waits for a notification. Returns 0 or a negative errno: ENOENT if the task exited first, EINTR if a signal arrived.
 * Call this only when the listener is ready for reading (EPOLLIN): EPOLLHUP alone means that no task is left, and then
 * the call never returns before Linux 6.11 (seccomp_notify_recv of kernel/seccomp.c).
 */
export function receive(listener: number, notification: Uint8Array): number {
  notification.fill(0); // the kernel rejects a buffer that is not zero
  return syscall(NR.ioctl, listener, IOCTL.recv, notification);
}

/** Sends the reply to a task. Returns 0 or a negative errno; ENOENT if the task no longer waits. */
export function send(listener: number, response: Uint8Array): number {
  return syscall(NR.ioctl, listener, IOCTL.send, response);
}

/**
 * Whether the task of a notification still waits for its reply. If so, its thread id was not reused. The kernel reads
 * the id, which is at the start of `notification`.
 */
export function stillWaits(listener: number, notification: Uint8Array): boolean {
  return syscall(NR.ioctl, listener, IOCTL.idValid, notification) === 0;
}

/** Identifies a waiting call by its notification id, which is unique at this listener. */
export interface Waiting {
  readonly listener: number;
  readonly id: bigint;
}

/** Whether the task still waits. As long as it does, its thread id cannot be reused. */
export function lasts({ listener, id }: Waiting): boolean {
  waiting.memory[0] = id;
  return syscall(NR.ioctl, listener, IOCTL.idValid, waiting.address) === 0;
}

const waiting = new Fixed(new BigUint64Array(1));

/**
 * Installs an fd in the task and replies with its number in the task, atomically. Returns that number or a negative
 * errno.
 */
export function answerWithFd(listener: number, id: bigint, fd: number): number {
  const { memory, address } = request;
  memory.setBigUint64(0, id, true);
  memory.setUint32(8, ADDFD_FLAG_SEND, true);
  memory.setUint32(12, fd, true);
  memory.setUint32(20, O_CLOEXEC, true);
  return syscall(NR.ioctl, listener, IOCTL.addfd, address);
}

const request = new Fixed(new DataView(new ArrayBuffer(ADDFD_SIZE)));
