import { existsSync } from "node:fs";
import type { Answer, Call } from "../call/call.js";
import { ownNamespaces } from "../call/current.js";
import type { Notification } from "../call/notification.js";
import { readSmall } from "../sys/file.js";
import { NR } from "../sys/numbers.js";

/**
 * Whom a system call changes: a process by its pid, the processes of a group, or those of a user; 0 is the caller's
 * own.
 */
interface Target {
  readonly kind: "process" | "group" | "user";
  readonly id: number;
}

/** A system call by which a task can change another process that it may neither trace nor signal. */
interface Row {
  readonly name: string;
  /** Null where nothing is changed, or the kernel refuses the call. */
  readonly target: (notification: Notification) => Target | null;
}

const byPid = (name: string): Row => ({ name, target: (its) => ({ kind: "process", id: its.word(0) }) });
/** `which` and `who`; kinds by their numbers. */
const byKind = (name: string, kinds: readonly (Target["kind"] | null)[]): Row => ({
  name,
  target: (its) => {
    const kind = kinds[its.word(0)] ?? null;
    return kind === null ? null : { kind, id: its.word(1) };
  },
});

/**
 * By number. Landlock has no hook for these. The filter of `run` lets them pass where their registers name the caller
 * itself ({@link gateFilter}). All that decides are registers.
 */
export const TARGETING: Readonly<Record<number, Row>> = {
  // without new limits it only reads
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
};

/** Whether such a call certainly does not reach the gate, whoever makes it. */
export function missesGate(notification: Notification): boolean {
  const target = TARGETING[notification.call]?.target(notification) ?? null;
  return target === null || (target.kind === "process" && !isOwnThread(target.id));
}

/** Lets a call that changes other processes pass, or denies it: the kernel would carry it out on the gate as well. */
export function judgeTarget(call: Call): Answer {
  const { notification } = call;
  const row = TARGETING[notification.call];
  const target = row?.target(notification) ?? null;
  if (row === undefined || target === null || !reachesGate(call, target)) return "continue";
  const reason = `${row.name} of ${WHOM[target.kind]} would change the gate`;
  return call.denyRepeatable("gate_target", "bpf", { name: row.name }, reason, `${row.name} ${target.kind}`);
}

const WHOM: Readonly<Record<Target["kind"], string>> = {
  process: "one of its threads",
  group: "its process group",
  user: "its user's processes",
};

function reachesGate({ caller: { current }, task }: Call, { kind, id }: Target): boolean {
  const own = ownNamespaces();
  const { pid = 0 } = current.namespaces;
  // in a pid namespace below the gate's, a task has no number for the gate or its group; 0: it cannot be told
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
 * The gate's number of a uid in the task's user namespace; NaN for one that is not mapped (user_namespaces(7)). A map
 * is written once; until then any uid may become the gate's.
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

/** Field 5 (pgrp) of proc_pid_stat(5), after the name. */
function groupOf(task: number | "self"): number {
  const stat = readSmall(`/proc/${task}/stat`) ?? "";
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
}
