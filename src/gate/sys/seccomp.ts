import { addressOf, Fixed, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** Sizes of the structures that cross (linux/seccomp.h): seccomp_notif, seccomp_notif_resp, seccomp_notif_addfd. */
export const NOTIFICATION_SIZE = 80;
export const RESPONSE_SIZE = 24;
export const ADDFD_SIZE = 24;

/** Flags of seccomp(2) and of the listener's ioctls (linux/seccomp.h). */
const SET_MODE_FILTER = 1;
const FILTER_FLAG_NEW_LISTENER = 1 << 3;
const FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5;
const ADDFD_FLAG_SEND = 1 << 1;
const FD_SYNC_WAKE_UP = 1;
const O_CLOEXEC = 0o2000000;

/** _IOWR('!', 0…3) and _IOW('!', 4), with the sizes above in them. */
const IOCTL = { recv: 0xc0502100, send: 0xc0182101, idValid: 0x40082102, addfd: 0x40182103, setFlags: 0x40082104 };

/**
 * Puts a filter (an array of struct sock_filter, 8 bytes each) on the calling thread and gives its listener, or a
 * negative errno: EBUSY where the thread is under a listener already, EACCES without CAP_SYS_ADMIN or no_new_privs.
 * A target that waits for an answer can then be ended by fatal signals alone, so that no call is carried out twice.
 */
export function installFilter(filter: Uint8Array): number {
  const program = new DataView(new ArrayBuffer(16));
  program.setUint16(0, filter.byteLength / 8, true);
  program.setBigUint64(8, BigInt(addressOf(filter)), true);
  return syscall(NR.seccomp, SET_MODE_FILTER, FILTER_FLAG_NEW_LISTENER | FILTER_FLAG_WAIT_KILLABLE_RECV, program);
}

/** Has the kernel run the gate on the CPU of the waiting task: a round trip takes 5 µs instead of 40. ENOTTY before 6.6. */
export function wakeOnSameCpu(listener: number): number {
  return syscall(NR.ioctl, listener, IOCTL.setFlags, FD_SYNC_WAKE_UP);
}

/** Waits for a notification. 0, or a negative errno: ENOENT where the target died first, EINTR. */
export function receive(listener: number, notification: Uint8Array): number {
  notification.fill(0); // the kernel refuses a buffer that is not zero
  return syscall(NR.ioctl, listener, IOCTL.recv, notification);
}

/** Answers. 0, or a negative errno: ENOENT where the target is no longer waiting. */
export function send(listener: number, response: Uint8Array): number {
  return syscall(NR.ioctl, listener, IOCTL.send, response);
}

/** Whether the target of a notification, which begins with its id, still waits for it: its task id is still its own. */
export function stillWaits(listener: number, notification: Uint8Array): boolean {
  return syscall(NR.ioctl, listener, IOCTL.idValid, notification) === 0;
}

/** A target's wait: the id of its notification, which no other wait at this listener ever has. */
export interface Waiting {
  readonly listener: number;
  readonly id: bigint;
}

/** The same of a wait that is named: a task id is the target's own for as long as it lasts, and another's soon after. */
export function lasts({ listener, id }: Waiting): boolean {
  waiting.memory[0] = id;
  return syscall(NR.ioctl, listener, IOCTL.idValid, waiting.address) === 0;
}

const waiting = new Fixed(new BigUint64Array(1));

/** Puts an fd into the target and answers with its number there, in one step. The number, or a negative errno. */
export function answerWithFd(listener: number, id: bigint, fd: number): number {
  const { memory, address } = request;
  memory.setBigUint64(0, id, true);
  memory.setUint32(8, ADDFD_FLAG_SEND, true);
  memory.setUint32(12, fd, true);
  memory.setUint32(20, O_CLOEXEC, true);
  return syscall(NR.ioctl, listener, IOCTL.addfd, address);
}

const request = new Fixed(new DataView(new ArrayBuffer(ADDFD_SIZE)));
