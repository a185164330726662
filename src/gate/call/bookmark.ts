import { ERRNO } from "../../errno.js";
import { writeStart } from "../sys/file.js";
import { send } from "../sys/seccomp.js";
import { writeResponse } from "./notification.js";

/** Bytes at the start of a file that a bookmark has for itself: the id of a notification, as the kernel writes it. */
export const BOOKMARK_SIZE = 8;
/** Ids from one mark to the next: seldom, since a mark takes a system call. */
const EVERY = 64;
/** Calls before the last mark that can still be open: those that the kernel takes seconds for, while others go on. */
const BEFORE = 8192;

/**
 * Where in a listener's calls the agent is, in a file that outlives it. A call that an agent has received and not
 * answered when it is killed waits for ever: another agent cannot receive it again, and can answer it only by its id.
 * Ids of a filter follow each other (seccomp_do_user_notification of kernel/seccomp.c), so a mark at every few calls
 * tells them all.
 */
export class Bookmark {
  /** The low word of the id that stands there. */
  #marked: number | null = null;

  /** `fd`: of the file, or negative for none. */
  constructor(private readonly fd: number) {}

  /** A call has been received: struct seccomp_notif begins with its id. */
  heard(notification: Uint8Array): void {
    if (this.fd < 0) return;
    const [a = 0, b = 0, c = 0, d = 0] = notification;
    const low = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
    if (this.#marked !== null && (low - this.#marked) >>> 0 < EVERY) return;
    this.#marked = low;
    writeStart(this.fd, notification, BOOKMARK_SIZE);
  }
}

/**
 * Fails the calls that an agent before this one left open, as they would fail without another agent. What nobody has
 * received yet stays: the kernel says EINPROGRESS. `mark` is what stands in the file; 0 where nothing was received.
 */
export function failLost(listener: number, mark: bigint): void {
  if (mark === 0n) return;
  for (let step = -BEFORE; step < EVERY; step += 1)
    send(listener, writeResponse(BigInt.asUintN(64, mark + BigInt(step)), { result: -ERRNO.ENOSYS }));
}
