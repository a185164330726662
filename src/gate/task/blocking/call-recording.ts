import type { SkippedAttachment } from "../../../engine/handover/suspension-list.js";
import { monotonic } from "../../../monotonic.js";
import type { Current } from "../../../policy/model/current.js";
import type { Verdict } from "../../decisions/gate-decisions.js";
import type { Memory } from "./blocking-op.js";
import type { Analysed } from "./load-analysis.js";
import { Notification } from "./notification.js";

/**
 * The recording of a call that takes several turns, because another thread runs its blocking operations or because its
 * decision thread was replaced. Each turn runs the call from its beginning and replays the results and verdicts that
 * are recorded here, so that each address is read once and each decision made once. Plain data, passed by message.
 */
export interface CallRecording {
  /** The listener's fd. */
  readonly listener: number;
  /** struct seccomp_notif (linux/seccomp.h), as it was received. */
  readonly notification: Uint8Array;
  /** When the recording was created, in milliseconds of monotonic(). The duration of the call is counted from here. */
  readonly since: number;
  /** Whether the call was admitted as a long call: see {@link Admissions}. */
  readonly admitted: boolean;
  /** Whether the call had to wait before its first turn: see {@link LoadThrottle}. */
  readonly throttled: boolean;
  /** Results of the blocking operations, in the order of the operations. */
  readonly results: OpResult[];
  /** Results of the analyses that another thread made, by their position among the analyses of the call. */
  readonly analyses: ReadonlyMap<number, Analysed>;
  /** The decisions made so far, in order. */
  verdicts: readonly Verdict[];
  /** Attachments whose time ran out in this call, so that a thread was terminated. They are not asked again. */
  readonly overdue: SkippedAttachment[];
  /**
   * Open fds of the gate for this call: copies of the task's fds, by the task's fd numbers, and its own, by name. Fds
   * that blocking operations returned are in `results` instead.
   */
  readonly fds: Map<number | string, number>;
  /** Facts about the caller, for the log in case it exits; null until the first turn has ended. */
  current: Current | null;
}

export interface OpResult {
  readonly outcome: unknown;
  /** The memory of a system call after it ran: see {@link memoryOf}. */
  readonly memory: readonly Memory[];
  /** For an analysis: its position among the analyses of the call. */
  readonly analysed?: number;
}

export function newRecording(listener: number, notification: Uint8Array): CallRecording {
  return {
    listener,
    notification: notification.slice(),
    since: monotonic(),
    admitted: false,
    throttled: false,
    results: [],
    analyses: new Map(),
    verdicts: [],
    overdue: [],
    fds: new Map(),
    current: null,
  };
}

/** Identifies a call while it is pending. Notification ids are unique only within their listener. */
export function recordingKey({ listener, notification }: Pick<CallRecording, "listener" | "notification">): string {
  return `${listener} ${new Notification(notification).id}`;
}
