import { createHash } from "node:crypto";
import { hostname, release } from "node:os";
import { ERRNO } from "../../errno.js";
import type { StartRecord } from "../../log/input-records.js";
import { type DecisionRecord, RECORD_VERSION, timestamp } from "../../log/record.js";
import { VERSION } from "../../version.js";
import { denialName, eventHook } from "./event-hooks.js";
import type { GuardEvent } from "./guard-event.js";
import { guardReason } from "./reasons.js";

/**
 * A denial by the guard as a record of the decision log (docs/log.md). `hook` is the kernel's hook, which need not be
 * one of the policies'. User and group ids are those of the host.
 */
export interface GuardRecord extends Omit<DecisionRecord, "hook" | "subject"> {
  readonly hook: string;
  readonly subject: { readonly kind: string; readonly name: string; readonly digest: string; readonly path: null };
}

export interface RecordContext {
  readonly mode: "enforce" | "audit";
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** /proc/sys/kernel/random/boot_id, with which the number of an event is unique. */
  readonly bootId: string;
}

export function guardRecord(event: GuardEvent, { mode, time, bootId }: RecordContext): GuardRecord {
  const { name, text } = guardReason(event.reason);
  const hook = eventHook(event.hook);
  const verdict = -ERRNO.EPERM;
  return {
    level: "warn",
    type: "decision",
    version: RECORD_VERSION,
    time: timestamp(time),
    origin: "guard",
    id: eventId(event, time, bootId),
    operation: null,
    hook: hook.name,
    mode,
    verdict: mode === "enforce" ? verdict : 0,
    enforced_verdict: verdict,
    denied_by: { attachment: null, verdict, code: "DENIED_BY_GUARD", rule: name, reason: text },
    audit_denials: [],
    subject: { kind: hook.kind, name: denialName(event), digest: event.digest ?? "", path: null },
    current: {
      ...{ pid: event.pid, tid: event.pid, uid: event.uid, euid: event.uid, gid: event.gid },
      ...{ comm: event.comm, exe: null, cgroup: null, container: null },
    },
    answers: [],
    keyrings: {},
    duration_us: 0,
  };
}

/** The record of the writer of a boot's denials. `since` is the boot's time in milliseconds since the epoch. */
export function guardStart({ bootId, since }: { readonly bootId: string; readonly since: number }): StartRecord {
  return {
    ...{ level: "info", type: "start", version: RECORD_VERSION, time: timestamp(since), origin: "guard" },
    ...{ writer: eventId({ number: 0n }, since, bootId), engine: VERSION, host: hostname(), kernel: release() },
  };
}

/** A UUID of version 7 that is the same whenever the event is read, and ascends with the number of the event. */
function eventId({ number }: Pick<GuardEvent, "number">, time: number, bootId: string): string {
  const at = Math.max(0, Math.floor(time)).toString(16).padStart(12, "0").slice(-12);
  const own = createHash("sha256").update(`${bootId} ${number}`).digest("hex");
  return `${at.slice(0, 8)}-${at.slice(8)}-7${own.slice(0, 3)}-8${own.slice(3, 6)}-${own.slice(6, 18)}`;
}
