import type { SkippedAttachment } from "../../engine/thread-handover-state.js";
import type { Current } from "../../policy/current.js";
import { Notification } from "../call/notification.js";
import type { Verdict } from "../gate-decisions.js";
import type { Analysed } from "../load/analysis.js";
import type { Memory } from "./blocking-op.js";

/**
 * The recording of a call that takes several turns: because another thread runs its blocking operations, or because its
 * decision thread was replaced. Each turn runs the call from its beginning and replays the results and verdicts that
 * are recorded here, so that each address is read once and each decision made once. Plain data, which crosses threads.
 */
export interface CallRecording {
  /** The listener's fd. */
  readonly listener: number;
  /** struct seccomp_notif, as it was received. */
  readonly notification: Uint8Array;
  /** Milliseconds since the epoch: when its task began to keep the gate waiting. */
  readonly since: number;
  /** Whether another thread does what takes long in this call: see {@link Admissions}. */
  readonly admitted: boolean;
  /** Results of blocking operations, in their order. */
  readonly results: OpResult[];
  /** What analyses of its loads have found, by their order in the call: those that another thread made. */
  readonly analyses: ReadonlyMap<number, Analysed>;
  /** What was decided, in its order. */
  verdicts: readonly Verdict[];
  /** Attachments that had a thread ended over this call: they have answered. */
  readonly overdue: SkippedAttachment[];
  /**
   * The gate's copies of the task's fds, by the task's numbers, and fds of its own by name; without those that blocking
   * operations returned.
   */
  readonly fds: Map<number | string, number>;
  /** Facts about the caller, for the log if it has exited; null until the first turn has ended. */
  current: Current | null;
}

export interface OpResult {
  readonly outcome: unknown;
  /** What a call has made of its memory. */
  readonly memory: readonly Memory[];
  /** Of an analysis: its place among those of the call. */
  readonly analysed?: number;
}

export function newRecording(listener: number, notification: Uint8Array): CallRecording {
  return {
    listener,
    notification: notification.slice(),
    since: Date.now(),
    admitted: false,
    results: [],
    analyses: new Map(),
    verdicts: [],
    overdue: [],
    fds: new Map(),
    current: null,
  };
}

/** Identifies a call while it waits. Notification ids are unique for their listener only. */
export function recordingKey({ listener, notification }: Pick<CallRecording, "listener" | "notification">): string {
  return `${listener} ${new Notification(notification).id}`;
}
