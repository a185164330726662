/** What the guard of this machine says of itself, and the commands that it takes. Needs root. */
import { readFileSync } from "node:fs";
import { ERRNO, verdictName } from "../errno.js";
import { CountersignError } from "../error.js";
import { bpf } from "../sys/bpf.js";
import { tryToLoad } from "../sys/bpf-programs.js";
import { canaryInsns } from "./guard/canary.js";
import { requireOwnVersion } from "./loader/other-version.js";
import { decodeEvent, EVENT, EVENT_COUNT, type GuardEvent, inOrder } from "./status/guard-event.js";
import { EVENTS_MAP, elementsOf, guardMaps, otherVersion, STATUS_MAP } from "./status/guard-maps.js";
import { decodeStatus, type GuardStatus } from "./status/guard-status.js";
import { reasonNumber } from "./status/reasons.js";
import { STATUS } from "./status/status-layout.js";

export { isRunning } from "./status/agent-process.js";
export { eventHook } from "./status/event-hooks.js";
export { eventsNotKept, type GuardEvent } from "./status/guard-event.js";
export { type GuardRecord, guardRecord, guardStart } from "./status/guard-record.js";
export { guardRules } from "./status/guard-rules.js";
export type { GuardStatus } from "./status/guard-status.js";
export { GUARD_REASONS, guardReason } from "./status/reasons.js";

/** The guard's maps, by name. They stay as long as it runs. */
let maps: ReadonlyMap<string, number> = new Map();

function guardMap(name: string): number | null {
  if (!maps.has(name)) maps = guardMaps({ [STATUS_MAP]: STATUS.size, [EVENTS_MAP]: EVENT.size });
  return maps.get(name) ?? null;
}

/**
 * Null if no guard runs. Throws SEAL_NO_ACCESS if this process may not look for it, and SEAL_RUNNING for a guard of
 * another version.
 */
export function readStatus(): GuardStatus | null {
  const id = guardMap(STATUS_MAP);
  if (id === null) {
    requireRoot();
    requireOwnVersion(otherVersion(STATUS.size));
    return null;
  }
  const [bytes] = elementsOf(id, STATUS.size, 1);
  const status = bytes === undefined ? null : decodeStatus(bytes);
  requireOwnVersion(status?.version ?? null);
  return status;
}

/**
 * The events that the guard keeps, oldest first: the first ones and the last ones. Empty if no guard runs. Those of
 * this process are left out: it looked for the guard's maps.
 */
export function readEvents(): readonly GuardEvent[] {
  const id = guardMap(EVENTS_MAP);
  const events = id === null ? [] : inOrder(elementsOf(id, EVENT.size, EVENT_COUNT).map(decodeEvent));
  return events.filter(({ pid }) => pid !== process.pid);
}

/** For which of them the guard denies its test program: after `seal lock` it denies every program for one reason. */
const CANARY_REASONS = [reasonNumber("canary"), reasonNumber("locked_down")] as const;

/**
 * Whether the guard still decides: a program that must be denied is loaded, and the guard has to have counted it. Under
 * audit the load passes, and is counted.
 */
export function isDeciding(before: GuardStatus): boolean {
  const result = tryToLoad(canaryInsns());
  const after = readStatus();
  const counted = after !== null && CANARY_REASONS.some((reason) => after.denied[reason]! > before.denied[reason]!);
  return counted && (before.mode === "audit" || result === -ERRNO.EPERM);
}

/** Commands of guard/interface.h. */
export const COMMANDS = { lock: 0x6702, requireSignatures: 0x6703 } as const;

/** Gives the guard a command. Throws SEAL_NOT_RUNNING, SEAL_DENIED. */
export function command(name: keyof typeof COMMANDS): void {
  const result = bpf(COMMANDS[name], new Uint8Array(8));
  if (result === -ERRNO.EALREADY) return;
  if (readStatus() === null)
    throw new CountersignError("SEAL_NOT_RUNNING", "no guard runs on this machine", {
      remedy: "start one with `countersign seal start`",
    });
  throw new CountersignError("SEAL_DENIED", `the guard does not take the command: ${verdictName(result)}`, {
    remedy: "seal the machine first, without --audit, and give the command as root, outside of containers",
  });
}

/** The time of an event or of the seal, in milliseconds since the epoch. /proc/uptime counts as CLOCK_BOOTTIME does. */
export function wallClock(nanoseconds: bigint, now = Date.now(), uptime = uptimeMilliseconds()): number {
  return now - uptime + Number(nanoseconds / 1_000_000n);
}

function uptimeMilliseconds(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
}

function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new CountersignError("SEAL_NO_ACCESS", "only root can ask the guard", { remedy: "run it as root" });
}
