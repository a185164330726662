import { ERRNO } from "../errno.js";
import { bpf } from "./bpf.js";
import { must, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** GUARD_COMMAND_TICKET of seal/guard/interface.h: a command of bpf(2) that only the guard answers. */
const COMMAND_TICKET = 0x6705;

/** Byte offsets in struct guard_ticket, and its size. test/unit/seal compares them with seal/guard/interface.h. */
export const TICKET = {
  digest: 0,
  progType: 32,
  expectedAttachType: 36,
  attachBtfId: 40,
  progFlags: 44,
  gplCompatible: 48,
  attachProgId: 52,
  attachBtfObjId: 56,
  tid: 60,
  deadline: 64,
  maps: 72,
  flags: 104,
  reserved: 108,
  size: 112,
} as const;

/** GUARD_TICKET_WITHDRAW. */
const WITHDRAW = 1;
/** CLOCK_BOOTTIME of linux/time.h. */
const BOOTTIME = 7;
/**
 * Nanoseconds from the writing of a ticket to the load, which is the next call of this thread. The guard takes 60 s.
 */
const LIFETIME = 30_000_000_000n;

/** Results of {@link withTicket} that are no errno: the guard rejected the ticket with an errno, or denied the load. */
const REJECTED = -0x10000;
const DENIED = -0x20000;

/** Why a load with a ticket was not made. */
export type TicketFailure =
  | { readonly is: "rejected" /** Positive. */; readonly errno: number }
  | { readonly is: "denied" };

/**
 * Gives the calling thread a ticket for a load, and makes the load. `ticket` is a struct guard_ticket without a
 * deadline. Returns the load's result, or a number that {@link ticketFailure} explains. A ticket that the load did not
 * use is withdrawn.
 */
export function withTicket(ticket: Uint8Array, load: () => number): number {
  const bytes = ticket.slice();
  new DataView(bytes.buffer).setBigUint64(TICKET.deadline, now() + LIFETIME, true);
  const written = bpf(COMMAND_TICKET, bytes);
  if (written !== -ERRNO.EALREADY) return REJECTED + written;
  const result = load();
  if (result >= 0) return result;
  const isUnused = withdraw();
  return isUnused && result === -ERRNO.EPERM ? DENIED : result;
}

/** Explains a result of {@link withTicket}; null if it is that of the load. */
export function ticketFailure(result: number): TicketFailure | null {
  if (result === DENIED) return { is: "denied" };
  return result < REJECTED ? { is: "rejected", errno: REJECTED - result } : null;
}

/** Takes the ticket of the calling thread back. Returns whether there was one. */
function withdraw(): boolean {
  const bytes = new Uint8Array(TICKET.size);
  new DataView(bytes.buffer).setUint32(TICKET.flags, WITHDRAW, true);
  return bpf(COMMAND_TICKET, bytes) === -ERRNO.EALREADY;
}

/** CLOCK_BOOTTIME in nanoseconds. */
function now(): bigint {
  const time = new BigInt64Array(2);
  must(syscall(NR.clock_gettime, BOOTTIME, time), "reading the time since the machine started");
  return BigInt.asUintN(64, time[0]! * 1_000_000_000n + time[1]!);
}
