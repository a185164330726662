import type { Decision, Denial } from "../hooks/decision.js";
import type { ShadowChange, ShadowDifference } from "../log/shadow-record.js";

/** What a shadow is compared with: the decision that was made and had an effect. */
export type Decided = Pick<
  Decision,
  "id" | "time" | "judged_time" | "enforced_verdict" | "denied_by" | "audit_denials" | "grants"
>;

/** What the shadow's decision would change; null if nothing. The first of {@link ShadowChange} that fits. */
function shadowChange(decided: Decided, shadow: Decision): ShadowChange | null {
  const [before, after] = [decided.enforced_verdict, shadow.enforced_verdict];
  if (before !== after) return before === 0 ? "denies" : after === 0 ? "allows" : "errno";
  if (granted(decided) !== granted(shadow)) return "grants";
  if (named(decided.audit_denials) !== named(shadow.audit_denials)) return "audit";
  return shadow.answers.some(({ fault }) => fault !== null) ? "fault" : null;
}

/** The difference of a shadow's decision; null if there is none. `shadow` is the file of its configuration. */
export function shadowDifference(shadow: string, decided: Decided, decision: Decision): ShadowDifference | null {
  const change = shadowChange(decided, decision);
  if (change === null) return null;
  const { id, time, judged_time, enforced_verdict, denied_by, audit_denials } = decided;
  return {
    decision: { ...decision, id, time, judged_time },
    ...{ shadow, change, decided: { enforced_verdict, denied_by, audit_denials } },
  };
}

/**
 * The differences of a shadow's decisions about one file. Each configuration decides at the hooks that it serves:
 * where one of them does not decide, it allows.
 */
export function shadowDifferences(
  shadow: string,
  decided: readonly Decision[],
  decisions: readonly Decision[],
): readonly ShadowDifference[] {
  const byShadow = keyed(decisions);
  const known = keyed(decided);
  const allowed = decided.filter((one) => !byShadow.has(keyOf(one)));
  return [
    ...[...byShadow].map(([key, decision]) => {
      const before = known.get(key);
      return shadowDifference(shadow, before ?? allowing(decision), decision);
    }),
    ...allowed.map((one) => shadowDifference(shadow, one, { ...allowing(one), answers: [] })),
  ].filter((difference) => difference !== null);
}

/** The last decision counts if several are about subjects of one name at one hook: a load makes them all again. */
function keyed(decisions: readonly Decision[]): ReadonlyMap<string, Decision> {
  return new Map(decisions.map((decision) => [keyOf(decision), decision]));
}

function keyOf({ hook, subject: { name, digest } }: Decision): string {
  return JSON.stringify([hook, name, digest]);
}

function allowing(decision: Decision): Decision {
  return { ...decision, verdict: 0, enforced_verdict: 0, denied_by: null, audit_denials: [] };
}

/** The denial by the engine of what could not be logged, whatever the policies have answered. */
export function isUnlogged({ denied_by }: Decided): boolean {
  return denied_by?.code === "INTERNAL_FAULT" && denied_by.attachment === null;
}

function granted({ grants }: Pick<Decision, "grants">): string {
  return JSON.stringify([grants?.delegation?.mode === "enforce", grants?.freeze !== undefined]);
}

function named(denials: readonly Denial[]): string {
  return JSON.stringify(denials.map(({ attachment, verdict }) => [attachment, verdict]).sort());
}
