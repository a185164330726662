import { NOTIFICATION_SIZE, RESPONSE_SIZE } from "../../../sys/seccomp.js";

/**
 * One waiting system call: a view of struct seccomp_notif (linux/seccomp.h), little-endian. Offsets: id 0, pid 8, flags
 * 12; data: nr 16, arch 20, instruction_pointer 24, args 32. The bytes are not copied: when the buffer receives the
 * next notification, this object shows that one.
 */
export class Notification {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, NOTIFICATION_SIZE);
  }

  /** Identifies this call, not the task. Valid until the call is answered or the task exits. */
  get id(): bigint {
    return this.#view.getBigUint64(0, true);
  }

  /**
   * The operation id of this call: the notification id in hexadecimal. The kernel counts ids from a random 64-bit
   * number for each filter (init_listener of kernel/seccomp.c). All threads that serve the call use the same id.
   */
  get operation(): string {
    let digits = "";
    for (let at = 7; at >= 0; at -= 1) digits += HEX[this.#view.getUint8(at)]!;
    return digits;
  }

  /** The waiting thread's id in the gate's pid namespace; 0 if the thread is not visible there. */
  get tid(): number {
    return this.#view.getUint32(8, true);
  }

  get call(): number {
    return this.#view.getInt32(16, true);
  }

  get arch(): number {
    return this.#view.getUint32(20, true);
  }

  /** One of the six argument registers at system call entry. The task can no longer change it. */
  long(index: number): bigint {
    return this.#view.getBigUint64(ARGS + 8 * index, true);
  }

  /** The low 32 bits of an argument register, which the kernel uses for an int or unsigned int. */
  word(index: number): number {
    return this.#view.getUint32(ARGS + 8 * index, true);
  }
}

const ARGS = 32;

/** The two digits of each byte. Converting a bigint takes several times as long. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A new buffer for SECCOMP_IOCTL_NOTIF_RECV. It must be zero before each call (seccomp_unotify(2)). */
export function notificationBuffer(): Uint8Array {
  return new Uint8Array(NOTIFICATION_SIZE);
}

/** The reply: a result, or `continue`, so that the kernel executes the call (SECCOMP_USER_NOTIF_FLAG_CONTINUE). */
export type Response = { readonly result: number } | "continue";

const FLAG_CONTINUE = 1;

/**
 * Writes struct seccomp_notif_resp: id 0, val 8, error 16, flags 20. A negative result is an errno. The returned buffer
 * is shared: use it before the next call of this function.
 */
export function writeResponse(id: bigint, response: Response): Uint8Array {
  const negative = response !== "continue" && response.result < 0;
  view.setBigUint64(0, id, true);
  view.setBigInt64(8, response === "continue" || negative ? 0n : BigInt(response.result), true);
  view.setInt32(16, negative ? response.result : 0, true);
  view.setUint32(20, response === "continue" ? FLAG_CONTINUE : 0, true);
  return written;
}

const written = new Uint8Array(RESPONSE_SIZE);
const view = new DataView(written.buffer);
