import type { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import { EXIT } from "./exit.js";

/** The result for one file: its decisions, or the error because of which there are none. */
export interface Checked {
  readonly file: string;
  readonly decisions: readonly Decision[];
  /** Facts that can differ in a live load, by hook and subject. */
  readonly differences: readonly LiveDifference[];
  /** What the shadow would decide otherwise; null if the configuration has none. */
  readonly changes: readonly ShadowDifference[] | null;
  /** Why programs cannot load on the kernel that is decided for, or are not known there. */
  readonly reasons: readonly CountersignError[];
  readonly error: CountersignError | null;
}

/** Facts of one subject that can have other values in a live load than in the file. */
export interface LiveDifference {
  readonly hook: HookName;
  readonly subject: string;
  /** The attachments that were asked. */
  readonly asked: readonly string[];
  /** Facts that cannot be known from the file. */
  readonly unknown: readonly string[];
  /** Facts that are null at a live load. */
  readonly offlineOnly: readonly string[];
}

/** Exit code of a check: a fault takes precedence over a denial, since a policy that failed made no decision. */
export function exitCodeOf(checked: readonly Pick<Checked, "decisions" | "error">[]): number {
  const decisions = checked.flatMap((one) => one.decisions);
  if (checked.some(({ error }) => error !== null) || decisions.some(isUndecided)) return EXIT.undecided;
  return decisions.some(({ enforced_verdict }) => enforced_verdict !== 0) ? EXIT.denied : EXIT.ok;
}

/**
 * Whether an enforcing attachment failed, even if `on_fault: allow` ignored the fault, or the decision could not be
 * logged.
 */
export function isUndecided({ answers, denied_by }: Decision): boolean {
  return (
    answers.some(({ mode, fault }) => mode === "enforce" && fault !== null) || denied_by?.code === "INTERNAL_FAULT"
  );
}
