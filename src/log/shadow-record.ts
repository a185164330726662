import type { Decision, Origin, Verdicts } from "../hooks/decision.js";
import { decisionRecord } from "./decision-record.js";
import type { DecisionRecord, RecordHead } from "./record.js";

/**
 * What a shadow would change: it `denies` what is allowed, `allows` what is denied, denies with another `errno`,
 * `grants` capabilities or freezes maps otherwise, has other denials in `audit`, or changes nothing, but a policy of it
 * failed (`fault`).
 */
const SHADOW_CHANGES = ["denies", "allows", "errno", "grants", "audit", "fault"] as const;
export type ShadowChange = (typeof SHADOW_CHANGES)[number];

/**
 * A decision of the shadow that differs from the one that had an effect. Fields that are not declared here are those of
 * the shadow's decision; `id`, `time` and `operation` are those of the other one, and `verdict` had no effect.
 */
export interface ShadowRecord extends RecordHead<"shadow">, Omit<DecisionRecord, "type"> {
  /** The file of the shadow. */
  readonly shadow: string;
  readonly change: ShadowChange;
  /** The decision that had an effect. */
  readonly decided: Omit<Verdicts, "mode" | "verdict">;
}

/** A difference, as the shadow's thread finds it. Plain data. */
export interface ShadowDifference {
  /** With the id and the time of the decision that had an effect. */
  readonly decision: Decision;
  readonly shadow: string;
  readonly change: ShadowChange;
  readonly decided: ShadowRecord["decided"];
}

/** The record of a difference, without its level. */
export function shadowRecord(
  { decision, shadow, change, decided }: ShadowDifference,
  origin: Origin,
): Omit<ShadowRecord, "level"> {
  return { ...decisionRecord(decision, origin), type: "shadow", shadow, change, decided };
}
