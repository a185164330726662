import type { Standing } from "../../engine/succession.js";
import type { Current } from "../../policy/current.js";
import { Notification } from "../call/notification.js";
import type { Verdict } from "../judge.js";
import type { Analysed } from "../load/analysis.js";
import type { Memory } from "./errand.js";

/**
 * A call's stay at the gate where it is served in several turns: by other threads' help, or by one that takes over from
 * one that had to be ended. Each turn begins at the beginning and finds here what was looked at, taken and decided
 * already, so that all of that happens once. Plain data, which crosses threads.
 */
export interface Visit {
  /** The listener's fd. */
  readonly listener: number;
  /** struct seccomp_notif, as it was received. */
  readonly notification: Uint8Array;
  /** Milliseconds since the epoch: when its task began to keep the gate waiting. */
  readonly since: number;
  /** Whether another thread does what takes long in this call: see {@link Admissions}. */
  readonly admitted: boolean;
  /** What errands brought, in their order. */
  readonly brought: Brought[];
  /** What analyses of its loads have found, by their order in the call: those that another thread made. */
  readonly analyses: ReadonlyMap<number, Analysed>;
  /** What was decided, in its order. */
  verdicts: readonly Verdict[];
  /** Attachments that had a thread ended over this call: they have answered. */
  readonly overdue: Standing[];
  /**
   * The gate's copies of the task's fds, by the task's numbers, and fds of its own by name; not those that errands
   * brought.
   */
  readonly fds: Map<number | string, number>;
  /** Who asks, for the record where the task is gone; null until the first turn has ended. */
  current: Current | null;
}

export interface Brought {
  readonly outcome: unknown;
  /** What a call has made of its memory. */
  readonly memory: readonly Memory[];
  /** Of an analysis: its place among those of the call. */
  readonly analysed?: number;
}

export function newVisit(listener: number, notification: Uint8Array): Visit {
  return {
    listener,
    notification: notification.slice(),
    since: Date.now(),
    admitted: false,
    brought: [],
    analyses: new Map(),
    verdicts: [],
    overdue: [],
    fds: new Map(),
    current: null,
  };
}

/** A visit's name while it lasts: notification ids are its listener's own. */
export function visitName({ listener, notification }: Pick<Visit, "listener" | "notification">): string {
  return `${listener} ${new Notification(notification).id}`;
}
