import type { RecordOutcome } from "../../log/outcome.js";

/** What a report shows. The page gets it as JSON. */
export interface ReportData {
  /** The names of the logs, as they were given. */
  readonly logs: readonly string[];
  /** Number of decisions. */
  readonly decisions: number;
  /** Milliseconds since the epoch of the first and the last decision; null if there is none. */
  readonly from: number | null;
  readonly to: number | null;
  /** Length in milliseconds of the periods that decisions are counted in. */
  readonly period: number;
  /** Number of decisions whose time is more than a minute before that of a decision before it. */
  readonly backwards: number;
  /** The most frequent first, then groups that stand for those that are left out. */
  readonly groups: readonly GroupData[];
  /** By attachment, in the order of their first decision. */
  readonly policies: readonly PolicyData[];
  /** The most frequent first; empty if there was no shadow, or it decided the same. */
  readonly shadow: readonly ShadowData[];
}

/** What a shadow would decide otherwise, by decisions that are alike. */
export interface ShadowData {
  /** What it would change, such as `denies`: see `ShadowChange`. */
  readonly change: string;
  readonly hook: string;
  readonly program: string;
  /** Null outside of containers. */
  readonly container: string | null;
  readonly task: string;
  /** Why the shadow denies; or why it was denied, if the shadow allows it. Null if nothing was denied. */
  readonly reason: string | null;
  readonly count: number;
  /** The id of one of the decisions. */
  readonly id: string;
}

/** Decisions that are alike. */
export interface GroupData {
  readonly outcome: RecordOutcome;
  readonly hook: string;
  /** The name of the subject. */
  readonly program: string;
  /** Null outside of containers. */
  readonly container: string | null;
  /** The name of the task. */
  readonly task: string;
  /** The attachments that denied, or null for a default or the gate. Empty if nothing was denied. */
  readonly policies: readonly (string | null)[];
  /** The reason of the first denial; long digests are left out. Null if nothing was denied. */
  readonly reason: string | null;
  /** Number of groups that this one stands for; absent for a group of its own. */
  readonly others?: number;
  readonly count: number;
  /** Pairs of a period's number since `from` and the number of decisions in it, in the order of time. */
  readonly periods: readonly number[];
  /** A decision of the group; null if nothing was denied, or if the report would be too large. */
  readonly example: ExampleDecision | null;
}

/** What the record of a denial holds of its explanation. */
export interface ExampleDecision {
  readonly id: string;
  readonly time: string;
  /** Names and values for the table of details, in its order. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly answers: readonly ExampleAnswer[];
}

export interface ExampleAnswer {
  readonly attachment: string;
  readonly mode: string;
  /** Such as `-EPERM`. */
  readonly verdict: string;
  readonly reason: string | null;
  /** Calls of helpers with their results, notes, and a fault. */
  readonly lines: readonly string[];
}

/** How often an attachment was asked, and what it answered. */
export interface PolicyData {
  readonly name: string;
  readonly asked: number;
  readonly denied: number;
  readonly inAudit: number;
  readonly faults: number;
}
