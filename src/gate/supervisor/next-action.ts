import type { Blocked } from "../task/blocking/watch.js";

/** Milliseconds between two polls if the gate serves several containers. */
export const POLL_INTERVAL = 10;
/** Milliseconds between two polls if the gate serves one container or command. */
const POLL_INTERVAL_ALONE = 20;
/** Milliseconds between two polls during a blocking operation, and after a policy exceeded its time limit. */
export const POLL_INTERVAL_WAITING = 5;
/** Milliseconds of waiting for a task after which a standby thread is started if there is none. */
const START_STANDBY_AFTER = 8;
/**
 * Milliseconds of waiting for a task after which another thread takes over. A lookup on a slow disk or the read of a
 * swapped-out page takes less.
 */
export const REPLACE_AFTER = 25;
/**
 * Milliseconds that a policy is seen to run beyond its time limit before the thread is terminated. The sandbox enforces
 * the limit itself at its polling points, so this is for code without one.
 */
export const POLICY_GRACE = 50;
/**
 * Time limit of an analysis, in milliseconds. Its work is bounded (bpf/analysis/states/work.ts) and takes at most two
 * seconds on an idle machine. This limit is for cases that the bound does not cover.
 */
export const ANALYSIS_TIMEOUT = 30_000;
/** A standby thread is started this many milliseconds before the time limit of an analysis. */
const START_STANDBY_BEFORE_TIMEOUT = 2000;
/** Milliseconds after which a standby thread that is not needed is stopped. */
export const KEEP_STANDBY = 10_000;

/** What one poll sees of the decision thread and of its standby thread. Times are in milliseconds of monotonic(). */
export interface WorkerSnapshot {
  /** The blocking operation that the thread is in; null for none. */
  readonly blocked: BlockedWorker | null;
  /** The policy that the thread asks or prepares; null for none. */
  readonly policy: AskedPolicy | null;
  readonly standby: Standby;
}

export interface AskedPolicy {
  /** Identifies the call of the policy within its thread. */
  readonly count: number;
  readonly deadline: number;
  /** For how many milliseconds the thread was seen in the policy after the deadline: see {@link ObservedWait}. */
  readonly overdue: number;
}

export interface BlockedWorker extends Blocked {
  /** For how many milliseconds the thread was seen in this wait: see {@link ObservedWait}. */
  readonly observed: number;
  /** Whether the task was killed already because of this operation. */
  readonly isKilled: boolean;
}

export interface Standby {
  /** `failed`: the last start failed a short time ago and is not repeated yet. */
  readonly state: "none" | "starting" | "ready" | "failed";
  /** When the thread was last needed. */
  readonly neededAt: number;
}

export interface Limits {
  /** Milliseconds that a task may make the gate wait (`gate.stall`). */
  readonly stall: number;
  /** Whether the gate serves only one container or command, so that a wait delays no other. */
  readonly isAlone: boolean;
  /** Whether a standby thread is kept although none is needed now. */
  readonly keepsStandby: boolean;
}

/** Why a thread is terminated. `count` identifies the policy or the analysis that does not return. */
export interface TerminationCause {
  readonly of: "policy" | "analysis";
  readonly count: number;
}

export type Action =
  | { readonly do: "none" }
  /** A standby thread may be needed soon: start it, or keep it. */
  | { readonly do: "startStandby" }
  | { readonly do: "stopStandby" }
  /** A blocking operation has taken longer than `gate.stall`: kill its task and deny its call. */
  | { readonly do: "killTask"; readonly blocked: Blocked }
  /** A blocking operation makes other tasks wait: the standby thread takes over. The thread ends with the operation. */
  | { readonly do: "replaceWorker"; readonly blocked: BlockedWorker }
  /** A policy or an analysis does not return: terminate the thread; the standby thread takes over. */
  | { readonly do: "terminate"; readonly cause: TerminationCause }
  /** The thread must be replaced, but no other one can start. */
  | { readonly do: "giveUp" };

const NONE: Action = { do: "none" };
const START_STANDBY: Action = { do: "startStandby" };

/**
 * The next action on a decision thread. After `killTask`, ask again with the new snapshot: a further action may be due
 * at once. `now` is in milliseconds of monotonic().
 */
export function nextAction(snapshot: WorkerSnapshot, limits: Limits, now: number): Action {
  const { blocked, policy, standby } = snapshot;
  if (blocked !== null) {
    const action = blocked.wait === "analysis" ? inAnalysis(blocked, now) : inWait(blocked, limits, now);
    if (action === NONE && isOverdue(snapshot, now)) return START_STANDBY;
    return needsStandby(action) ? withStandby(action, standby) : action;
  }
  if (policy === null || now < policy.deadline) return whileIdle(standby, limits, now);
  if (policy.overdue < POLICY_GRACE) return START_STANDBY;
  return withStandby({ do: "terminate", cause: { of: "policy", count: policy.count } }, standby);
}

/** Milliseconds until the next poll. `snapshot`: what this poll saw; null if there is no thread to watch. */
export function pollInterval(snapshot: WorkerSnapshot | null, { isAlone }: Limits, now: number): number {
  if (snapshot !== null && (snapshot.blocked !== null || isOverdue(snapshot, now))) return POLL_INTERVAL_WAITING;
  return isAlone ? POLL_INTERVAL_ALONE : POLL_INTERVAL;
}

function isOverdue({ policy }: WorkerSnapshot, now: number): boolean {
  return policy !== null && now >= policy.deadline;
}

function whileIdle({ state, neededAt }: Standby, { keepsStandby }: Limits, now: number): Action {
  if (keepsStandby) return START_STANDBY;
  const isRunning = state === "starting" || state === "ready";
  return isRunning && now - neededAt > KEEP_STANDBY ? { do: "stopStandby" } : NONE;
}

function inAnalysis(blocked: BlockedWorker, now: number): Action {
  const time = timeIn(blocked, now);
  if (time > ANALYSIS_TIMEOUT) return { do: "terminate", cause: { of: "analysis", count: blocked.count } };
  return time > ANALYSIS_TIMEOUT - START_STANDBY_BEFORE_TIMEOUT ? START_STANDBY : NONE;
}

/** The thread waits for a task or for the kernel. A task is not at fault for what the kernel takes long for. */
function inWait(blocked: BlockedWorker, limits: Limits, now: number): Action {
  const { wait, observed, isKilled } = blocked;
  const { stall, isAlone } = limits;
  if (wait !== "kernel" && timeIn(blocked, now) > stall && !isKilled) return { do: "killTask", blocked };
  const limit = replaceAfter(wait, stall, isAlone);
  if (observed > limit) return { do: "replaceWorker", blocked };
  return observed > limit - REPLACE_AFTER + START_STANDBY_AFTER ? START_STANDBY : NONE;
}

/**
 * Milliseconds in consecutive blocking operations, without the thread's own work between them, and without the time for
 * which the machine stood still.
 */
function timeIn({ observed, since }: BlockedWorker, now: number): number {
  return Math.min(observed, now - since);
}

/** Milliseconds of waiting after which the thread is replaced. With one container, killing the task comes first. */
function replaceAfter(wait: Blocked["wait"], stall: number, isAlone: boolean): number {
  if (!isAlone) return REPLACE_AFTER;
  return wait === "kernel" ? Number.POSITIVE_INFINITY : stall + REPLACE_AFTER;
}

function needsStandby({ do: what }: Action): boolean {
  return what === "replaceWorker" || what === "terminate";
}

/** The action if a standby thread is ready; else what makes one ready. */
function withStandby(action: Action, { state }: Standby): Action {
  if (state === "ready") return action;
  return state === "failed" ? { do: "giveUp" } : START_STANDBY;
}
