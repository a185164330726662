import { NOTIFICATION_SIZE, RESPONSE_SIZE } from "../sys/seccomp.js";

/** One task that waits at the gate: struct seccomp_notif (linux/seccomp.h), little-endian. */
export interface Notification {
  /** Names this wait, not the task; valid until it is answered or the task dies. */
  readonly id: bigint;
  /** The waiting thread's id in the gate's pid namespace; 0 where it cannot be seen from there. */
  readonly tid: number;
  readonly call: number;
  readonly arch: number;
  /** The six argument registers, as they were at entry: a target cannot change them any more. */
  readonly args: readonly bigint[];
}

/** A fresh buffer for RECV. */
export function notificationBuffer(): Uint8Array {
  return new Uint8Array(NOTIFICATION_SIZE);
}

/** id 0 · pid 8 · flags 12 · data: nr 16, arch 20, instruction pointer 24, args 32. */
export function readNotification(bytes: Uint8Array): Notification {
  const view = new DataView(bytes.buffer, bytes.byteOffset, NOTIFICATION_SIZE);
  const args: bigint[] = [];
  for (let index = 0; index < 6; index += 1) args.push(view.getBigUint64(32 + 8 * index, true));
  return {
    id: view.getBigUint64(0, true),
    tid: view.getUint32(8, true),
    call: view.getInt32(16, true),
    arch: view.getUint32(20, true),
    args,
  };
}

/** What a gate answers: a result, or the kernel is told to carry the call out as the registers say. */
export type Response = { readonly result: number } | "continue";

const FLAG_CONTINUE = 1;

/** struct seccomp_notif_resp: id 0 · val 8 · error 16 · flags 20. A negative result is an errno. */
export function writeResponse(id: bigint, response: Response): Uint8Array {
  const view = new DataView(new ArrayBuffer(RESPONSE_SIZE));
  view.setBigUint64(0, id, true);
  if (response === "continue") view.setUint32(20, FLAG_CONTINUE, true);
  else if (response.result < 0) view.setInt32(16, response.result, true);
  else view.setBigInt64(8, BigInt(response.result), true);
  return new Uint8Array(view.buffer);
}
