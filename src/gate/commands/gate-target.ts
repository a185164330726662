import { existsSync } from "node:fs";
import { readSmall } from "../../sys/file.js";
import { NR } from "../../sys/numbers.js";
import type { Call } from "../call/call.js";
import { deny } from "../call/failure.js";
import { PERF_FLAG_PID_CGROUP } from "../call/filter.js";
import type { Notification } from "../task/blocking/notification.js";
import { ownNamespaces } from "../task/caller.js";

/**
 * The target of a system call: a thread or process by its id, the processes of a group, or those of a user. Id 0 is the
 * caller's own.
 */
interface Target {
  readonly kind: "process" | "group" | "user";
  readonly id: number;
}

/** A system call by which a task can change another process even if it may neither trace nor signal that process. */
interface Row {
  readonly name: string;
  /** Returns null if the call changes nothing or the kernel rejects it. */
  readonly target: (notification: Notification) => Target | null;
}

const byPid = (name: string): Row => ({ name, target: (its) => ({ kind: "process", id: its.word(0) }) });
/** A call with the arguments `which` and `who`. `kinds` is indexed by `which`. */
const byKind = (name: string, kinds: readonly (Target["kind"] | null)[]): Row => ({
  name,
  target: (its) => {
    const kind = kinds[its.word(0)] ?? null;
    return kind === null ? null : { kind, id: its.word(1) };
  },
});

/**
 * Rows by system call number. Landlock cannot restrict these calls. The filter of `countersign run` does not notify the
 * gate if the registers name the caller itself ({@link gateFilter}). The decision uses only registers.
 */
export const TARGETING: Readonly<Record<number, Row>> = {
  // without new limits (argument 2) the call only reads
  [NR.prlimit64]: {
    name: "prlimit64",
    target: (its) => (its.long(2) === 0n ? null : { kind: "process", id: its.word(0) }),
  },
  [NR.sched_setparam]: byPid("sched_setparam"),
  [NR.sched_setscheduler]: byPid("sched_setscheduler"),
  [NR.sched_setaffinity]: byPid("sched_setaffinity"),
  [NR.sched_setattr]: byPid("sched_setattr"),
  // PRIO_PROCESS, PRIO_PGRP and PRIO_USER of linux/resource.h; IOPRIO_WHO_PROCESS, …_PGRP and …_USER of linux/ioprio.h
  [NR.setpriority]: byKind("setpriority", ["process", "group", "user"]),
  [NR.ioprio_set]: byKind("ioprio_set", [null, "process", "group", "user"]),
  // with `sigtrap` the event sends signals to its thread; for who has CAP_PERFMON and CAP_KILL the kernel asks nobody
  // whether the caller may trace the thread (perf_check_permission in kernel/events/core.c)
  [NR.perf_event_open]: {
    name: "perf_event_open",
    target: (its) => {
      const pid = its.word(1) | 0; // pid_t
      return pid <= 0 || (its.word(4) & PERF_FLAG_PID_CGROUP) !== 0 ? null : { kind: "process", id: pid };
    },
  },
};

/** Whether a call certainly does not change the gate, whichever task makes it. Uses only registers. */
export function missesGate(notification: Notification): boolean {
  const target = TARGETING[notification.call]?.target(notification) ?? null;
  return target === null || (target.kind === "process" && !isOwnThread(target.id));
}

/** Denies a call that would change the gate. Otherwise the kernel executes it. */
export function decideTarget(call: Call): "continue" {
  const { notification } = call;
  const row = TARGETING[notification.call];
  const target = row?.target(notification) ?? null;
  if (row === undefined || target === null || !reachesGate(call, target)) return "continue";
  const reason = `${row.name} of ${WHOM[target.kind]} would change the gate`;
  return deny("gate_target", reason, {
    about: { hook: "bpf", subject: { name: row.name } },
    repeatKey: `${row.name} ${target.kind}`,
  });
}

const WHOM: Readonly<Record<Target["kind"], string>> = {
  process: "one of its threads",
  group: "its process group",
  user: "its user's processes",
};

function reachesGate({ caller: { current }, task }: Call, { kind, id }: Target): boolean {
  const own = ownNamespaces();
  const { pid = 0 } = current.namespaces;
  // a task in a child pid namespace has no id for the gate or its group; 0 means that the namespace is unknown
  const numbers = pid === 0 || pid === own.pid;
  switch (kind) {
    case "process":
      return numbers && isOwnThread(id);
    case "group":
      return id === 0 ? groupOf(task.tid) === groupOf("self") : numbers && id === groupOf("self");
    case "user":
      return (id === 0 ? current.uid : mappedUid(task.tid, id)) === process.getuid?.();
  }
}

/**
 * Translates a uid of the task's user namespace to the gate's; NaN if it is not mapped (user_namespaces(7)). A map is
 * written only once. While it is empty, any uid may still be mapped to the gate's, so the gate's own is returned.
 */
export function mappedUid(tid: number, uid: number): number | undefined {
  const map = readSmall(`/proc/${tid}/uid_map`) ?? "";
  if (map === "") return process.getuid?.();
  for (const line of map.trimEnd().split("\n")) {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/ +/).map(Number);
    if (uid >= inside && uid - inside < count) return outside + uid - inside;
  }
  return Number.NaN;
}

function isOwnThread(id: number): boolean {
  return existsSync(`/proc/self/task/${id}`);
}

/**
 * Field 5 (pgrp) of proc_pid_stat(5). The search begins after the last `)`, because the name in field 2 may contain
 * spaces.
 */
function groupOf(task: number | "self"): number {
  const stat = readSmall(`/proc/${task}/stat`) ?? "";
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}
