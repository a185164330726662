import { verdictName } from "../../errno.js";
import type { Answer, Denial, DispatchResult } from "../../hooks/decision.js";
import type { InputsDecisionRecord } from "../../log/input-records.js";
import { FAULT_CODES } from "../../policy/model/outcome.js";

type RecordedAnswer = NonNullable<InputsDecisionRecord["answers"]>[number];
type RecordedDenial = NonNullable<InputsDecisionRecord["denied_by"]>;

/**
 * What is different first in a decision that was made again, in words; null if nothing is. With `entire` every field is
 * compared that follows from the inputs; otherwise only what the decision does: verdicts, denials and writes of maps.
 * Places of faults are not compared, since a log does not have the policies' own files.
 */
export function differenceOf(record: InputsDecisionRecord, again: DispatchResult, entire: boolean): string | null {
  const { verdict, enforced_verdict = verdict, denied_by = null, audit_denials = [], answers = [] } = record;
  if (enforced_verdict !== again.enforced_verdict)
    return `${verdictName(enforced_verdict)} becomes ${verdictName(again.enforced_verdict)}`;
  if (verdict !== again.verdict)
    return `the applied verdict ${verdictName(verdict)} becomes ${verdictName(again.verdict)}`;
  return (
    deniedDifferently(denied_by, again.denied_by) ??
    firstDifference(audit_denials, again.audit_denials, deniedDifferently) ??
    firstDifference(answers, again.answers, (before, after) => answeredDifferently(before, after, entire))
  );
}

function deniedDifferently(before: RecordedDenial | null, after: Denial | null): string | null {
  if (before === null && after === null) return null;
  if (before === null) return `\`${after!.attachment ?? "the default"}\` denies: ${after!.reason}`;
  if (after === null) return `\`${before.attachment ?? "the default"}\` denies no longer: ${before.reason}`;
  if (before.attachment !== after.attachment || before.verdict !== after.verdict || before.code !== after.code)
    return `denied by \`${before.attachment}\` (${before.code}) becomes \`${after.attachment}\` (${after.code})`;
  if ((FAULT_CODES as readonly string[]).includes(after.code) || before.reason === after.reason) return null;
  return `the reason \`${before.reason}\` becomes \`${after.reason}\``;
}

function answeredDifferently(before: RecordedAnswer | null, after: Answer | null, entire: boolean): string | null {
  if (before === null || after === null || before.attachment !== after.attachment) {
    if (!entire) return null;
    return `\`${before?.attachment ?? "no attachment"}\` is asked, now \`${after?.attachment ?? "no attachment"}\``;
  }
  const own = `the answer of \`${after.attachment}\``;
  if (before.verdict !== after.verdict)
    return `${own} ${verdictName(before.verdict ?? 0)} becomes ${verdictName(after.verdict)}`;
  if (!isSameList(before.writes, after.writes)) return `${own} writes something else to maps`;
  if (before.fault?.code !== after.fault?.code || before.fault?.message !== after.fault?.message)
    return `${own} has another fault`;
  if (!entire) return null;
  if (before.steps !== after.steps) return `${own} takes ${after.steps} steps instead of ${before.steps}`;
  const isSame = isSameList(before.notes, after.notes) && isSameList(before.unused_reasons, after.unused_reasons);
  return isSame ? null : `${own} has other notes`;
}

/** Most lists are empty, and then their JSON need not be made. */
function isSameList(before: readonly unknown[] = [], after: readonly unknown[]): boolean {
  return (before.length === 0 && after.length === 0) || JSON.stringify(before) === JSON.stringify(after);
}

/** The first difference of two elements at the same index; null stands for an element that is not there. */
function firstDifference<A, B>(
  some: readonly A[],
  others: readonly B[],
  difference: (one: A | null, other: B | null) => string | null,
): string | null {
  for (let index = 0; index < Math.max(some.length, others.length); index++) {
    const found = difference(some[index] ?? null, others[index] ?? null);
    if (found !== null) return found;
  }
  return null;
}
