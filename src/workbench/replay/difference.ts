import { verdictName } from "../../errno.js";
import type { Answer, Denial, DispatchResult } from "../../hooks/decision.js";
import type { ReadRecord } from "../../log/read-record.js";
import { FAULT_CODES } from "../../policy/model/outcome.js";

type RecordedAnswer = NonNullable<ReadRecord["answers"]>[number];
type RecordedDenial = NonNullable<ReadRecord["denied_by"]>;

/**
 * What is different first in a decision that was made again, in words; null if nothing is. With `entire` every field is
 * compared that follows from the inputs; otherwise only what the decision does: verdicts, denials and writes of maps.
 * Places of faults are not compared, since a log does not have the policies' own files.
 */
export function differenceOf(record: ReadRecord, again: DispatchResult, entire: boolean): string | null {
  const { enforced_verdict = 0, denied_by = null, audit_denials = [], answers = [] } = record;
  if (enforced_verdict !== again.enforced_verdict)
    return `${verdictName(enforced_verdict)} becomes ${verdictName(again.enforced_verdict)}`;
  if (record.verdict !== again.verdict)
    return `the applied verdict ${verdictName(record.verdict ?? 0)} becomes ${verdictName(again.verdict)}`;
  const denials: readonly (readonly [RecordedDenial | null, Denial | null])[] = [
    [denied_by as RecordedDenial | null, again.denied_by],
    ...pairs(audit_denials as readonly RecordedDenial[], again.audit_denials),
  ];
  for (const [before, after] of denials) {
    const difference = deniedDifferently(before, after);
    if (difference !== null) return difference;
  }
  for (const [before, after] of pairs(answers as readonly RecordedAnswer[], again.answers)) {
    const difference = answeredDifferently(before, after, entire);
    if (difference !== null) return difference;
  }
  return null;
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
  if (JSON.stringify(before.writes ?? []) !== JSON.stringify(after.writes))
    return `${own} writes something else to maps`;
  if (before.fault?.code !== after.fault?.code || before.fault?.message !== after.fault?.message)
    return `${own} has another fault`;
  if (!entire) return null;
  if (before.steps !== after.steps) return `${own} takes ${after.steps} steps instead of ${before.steps}`;
  const texts = [before.notes, before.unused_reasons].map((list) => list ?? []);
  return JSON.stringify(texts) === JSON.stringify([after.notes, after.unused_reasons])
    ? null
    : `${own} has other notes`;
}

function pairs<A, B>(some: readonly A[], others: readonly B[]): (readonly [A | null, B | null])[] {
  const length = Math.max(some.length, others.length);
  return Array.from({ length }, (_, index) => [some[index] ?? null, others[index] ?? null]);
}
