import type { ReadRecord } from "./read-record.js";

/**
 * What became of a decision: `would deny` is a denial that a dry run did not enforce, `audit denial` one of an
 * attachment in audit or of a default of `audit`, and `probe` a loader's feature probe that was allowed unasked.
 */
const OUTCOMES = ["denied", "would deny", "audit denial", "probe", "allowed"] as const;
export type RecordOutcome = (typeof OUTCOMES)[number];

/** The first of {@link OUTCOMES} that fits. */
export function outcomeOf(record: ReadRecord): RecordOutcome {
  const { verdict = 0, loader_probe } = record;
  if (isDenied(record)) return verdict < 0 ? "denied" : "would deny";
  if (isAuditDenial(record)) return "audit denial";
  return loader_probe === undefined ? "allowed" : "probe";
}

/** Whether mode `enforce` denies; in a dry run the operation was allowed. */
export function isDenied({ verdict = 0, enforced_verdict = verdict }: ReadRecord): boolean {
  return enforced_verdict < 0;
}

export function isAuditDenial({ audit_denials }: ReadRecord): boolean {
  return (audit_denials?.length ?? 0) > 0;
}

/** The name of the container in which the task ran, or its id; null outside of containers. */
export function containerOf({ current }: ReadRecord): string | null {
  return current?.container?.name ?? current?.container?.id ?? null;
}
