import { NOTIFICATION_SIZE, RESPONSE_SIZE } from "../sys/seccomp.js";

/**
 * One task that waits at the gate: struct seccomp_notif (linux/seccomp.h), little-endian: id 0 · pid 8 · flags 12 · data: nr 16,
 * arch 20, instruction pointer 24, args 32. It is read where it lies, and is another one once that is written to again.
 */
export class Notification {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, NOTIFICATION_SIZE);
  }

  /** Names this wait, not the task; valid until it is answered or the task dies. */
  get id(): bigint {
    return this.#view.getBigUint64(0, true);
  }

  /**
   * Names the system call as an operation: the id, which the kernel counts from a random number of 64 bits for each filter
   * (init_listener of kernel/seccomp.c). Every thread that serves the call has the same.
   */
  get operation(): string {
    return this.id.toString(16).padStart(16, "0");
  }

  /** The waiting thread's id in the gate's pid namespace; 0 where it cannot be seen from there. */
  get tid(): number {
    return this.#view.getUint32(8, true);
  }

  get call(): number {
    return this.#view.getInt32(16, true);
  }

  get arch(): number {
    return this.#view.getUint32(20, true);
  }

  /** An argument register, of six, as it was at entry: a target cannot change it any more. */
  long(index: number): bigint {
    return this.#view.getBigUint64(ARGS + 8 * index, true);
  }

  /** The same as the kernel takes an int or unsigned int: its low 32 bits. */
  word(index: number): number {
    return this.#view.getUint32(ARGS + 8 * index, true);
  }
}

const ARGS = 32;

/** A fresh buffer for RECV. */
export function notificationBuffer(): Uint8Array {
  return new Uint8Array(NOTIFICATION_SIZE);
}

/** What a gate answers: a result, or the kernel is told to carry the call out as the registers say. */
export type Response = { readonly result: number } | "continue";

const FLAG_CONTINUE = 1;

/**
 * struct seccomp_notif_resp: id 0 · val 8 · error 16 · flags 20. A negative result is an errno. The bytes are to be used before
 * the next response is written.
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
