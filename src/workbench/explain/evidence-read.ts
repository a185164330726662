import type { Evidence } from "../../bpf/model/facts.js";
import type { SubjectContent } from "../../log/input-records.js";
import type { ExplainedAttachment, ExplainedEvidence } from "./explanation.js";

/** The most evidence of one effect: a program can have an effect at thousands of instructions. */
const MAX_EVIDENCE = 8;

/**
 * Why a program has the effects that policies read: those that they found to be true, and if they found that it is not
 * read-only those that end that. Without traces every effect of the program.
 */
export function evidenceFor(
  subject: SubjectContent | null,
  attachments: readonly ExplainedAttachment[],
  isTraced: boolean,
): readonly ExplainedEvidence[] {
  const evidence: unknown = subject?.facts?.evidence;
  if (!Array.isArray(evidence)) return [];
  const read = new Map(
    attachments.flatMap(({ trace }) =>
      trace.flatMap((one) =>
        one.event === "read" ? [[one.fact.slice(one.fact.lastIndexOf(".") + 1), one.value]] : [],
      ),
    ),
  );
  const isRead = ({ effect, ends_read_only }: Evidence) =>
    !isTraced || read.get(effect) === true || (ends_read_only && read.get("read_only") === false);
  const counts = new Map<string, number>();
  return (evidence as readonly Evidence[]).filter(isRead).flatMap((one) => {
    const count = (counts.get(one.effect) ?? 0) + 1;
    counts.set(one.effect, count);
    return count > MAX_EVIDENCE ? [] : [{ ...one, code: [] }];
  });
}
