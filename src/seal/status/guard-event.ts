/** struct guard_event of guard/interface.h: offsets in bytes. */
export const EVENT = {
  size: 96,
  number: 0,
  time: 8,
  reason: 16,
  pid: 20,
  uid: 24,
  gid: 28,
  hook: 32,
  detail: 36,
  comm: 48,
  digest: 64,
} as const;
/** GUARD_FIRST_EVENTS: these are never overwritten, so that root cannot make the log forget what came first. */
export const FIRST_EVENTS = 1024;
/** GUARD_LAST_EVENTS: of later events, only as many are kept. */
export const LAST_EVENTS = 1024;
/** GUARD_EVENT_COUNT: how many events the guard keeps. */
export const EVENT_COUNT = FIRST_EVENTS + LAST_EVENTS;

export interface GuardEvent {
  /** From 1. */
  readonly number: bigint;
  /** Nanoseconds of CLOCK_BOOTTIME. */
  readonly time: bigint;
  /** See reasons.ts. */
  readonly reason: number;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** See event-hooks.ts. */
  readonly hook: number;
  /** What was denied, as struct guard_event of guard/interface.h says for each hook. */
  readonly detail: readonly [number, number, number];
  readonly comm: string;
  /** In lower-case hex; null if it is zero. */
  readonly digest: string | null;
}

/** Null for an element that was never written, or is too short. */
export function decodeEvent(bytes: Buffer): GuardEvent | null {
  if (bytes.length < EVENT.size) return null;
  const number = bytes.readBigUInt64LE(EVENT.number);
  if (number === 0n) return null;
  const comm = bytes.subarray(EVENT.comm, EVENT.digest);
  const end = comm.indexOf(0);
  const digest = bytes.toString("hex", EVENT.digest, EVENT.size);
  const detail = (index: number) => bytes.readUInt32LE(EVENT.detail + 4 * index);
  return {
    number,
    time: bytes.readBigUInt64LE(EVENT.time),
    reason: bytes.readUInt32LE(EVENT.reason),
    pid: bytes.readUInt32LE(EVENT.pid),
    uid: bytes.readUInt32LE(EVENT.uid),
    gid: bytes.readUInt32LE(EVENT.gid),
    hook: bytes.readUInt32LE(EVENT.hook),
    detail: [detail(0), detail(1), detail(2)],
    comm: comm.toString("utf8", 0, end === -1 ? comm.length : end),
    digest: /^0*$/.test(digest) ? null : digest,
  };
}

/** How many of `total` events the guard has counted and does not keep, among those after the number `after`. */
export function eventsNotKept(total: bigint, after = 0n): bigint {
  const from = after > BigInt(FIRST_EVENTS) ? after : BigInt(FIRST_EVENTS);
  const to = total - BigInt(LAST_EVENTS);
  return to > from ? to - from : 0n;
}

/** The events in the order of their numbers. */
export function inOrder(events: readonly (GuardEvent | null)[]): readonly GuardEvent[] {
  const found = events.filter((event) => event !== null);
  return found.sort((a, b) => (a.number < b.number ? -1 : 1));
}
