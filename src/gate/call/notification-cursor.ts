import { ERRNO } from "../../errno.js";
import { writeStart } from "../../sys/file.js";
import { send } from "../../sys/seccomp.js";
import { writeResponse } from "../task/blocking/notification.js";

/** Size in bytes of the cursor, which is at the start of its file: a notification id in native byte order. */
export const CURSOR_SIZE = 8;
/** The cursor is written once for this many ids, because each write is a system call. */
const EVERY = 64;
/**
 * How many ids before the cursor may still be unanswered: the kernel takes seconds for some calls, while the gate
 * serves others.
 */
const BEFORE = 8192;

/**
 * The id of the last notification that was received from a listener, in a file that outlives the agent. If an agent is
 * killed, a call that it has received and not answered waits for ever: the next agent cannot receive it again, and can
 * answer it only by its id. Ids of a filter are consecutive (seccomp_do_user_notification of kernel/seccomp.c), so it
 * is enough to write one id of many.
 */
export class NotificationCursor {
  /** Low 32 bits of the id in the file; null before the first write. */
  #marked: number | null = null;

  /** `fd` is the file of the cursor; negative if there is none. */
  constructor(private readonly fd: number) {}

  /** Call this for each received call: struct seccomp_notif begins with its id. */
  received(notification: Uint8Array): void {
    if (this.fd < 0) return;
    const [a = 0, b = 0, c = 0, d = 0] = notification;
    const low = (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
    if (this.#marked !== null && (low - this.#marked) >>> 0 < EVERY) return;
    this.#marked = low;
    writeStart(this.fd, notification, CURSOR_SIZE);
  }
}

/**
 * Fails the calls that the previous agent received and did not answer, with the errno of a closed listener. Calls that
 * were not received yet keep waiting: the kernel returns EINPROGRESS for them. `mark` is the id in the file; 0 if no
 * call was received.
 */
export function failUnanswered(listener: number, mark: bigint): void {
  if (mark === 0n) return;
  for (let step = -BEFORE; step < EVERY; step += 1)
    send(listener, writeResponse(BigInt.asUintN(64, mark + BigInt(step)), { result: -ERRNO.ENOSYS }));
}
