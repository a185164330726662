import type { Decision, SubjectOfDecision } from "../../hooks/decision.js";

/** A decision for which no policy is asked: a denial by the gate itself, or a loader's probe. */
export interface Unasked extends Pick<Decision, "hook" | "current" | "denied_by" | "operation" | "loader_probe"> {
  readonly subject: UnaskedSubject;
}

export type UnaskedSubject = Pick<SubjectOfDecision, "name" | "digest" | "id">;
