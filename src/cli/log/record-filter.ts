import { CountersignError } from "../../error.js";
import { isAuditDenial, isDenied } from "../../log/outcome.js";
import type { ReadRecord } from "../../log/read-record.js";
import type { Selector } from "../../policy/scope/selector.js";

/** Which records `countersign log` shows; a record must pass all that are given. */
export interface FilterOptions {
  readonly denied?: true;
  readonly auditDenials?: true;
  /** Only what the shadow would decide otherwise. */
  readonly shadow?: true;
  readonly policy?: readonly string[];
  readonly label?: readonly Selector[];
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
  readonly id?: readonly string[];
}

type Test = (record: ReadRecord) => boolean;

/** The test for these options. All but `since` leave out records that are no decisions. */
export function recordFilter({ denied, auditDenials, shadow, policy, label, since, id }: FilterOptions): Test {
  const tests: Test[] = [];
  if (since !== undefined) tests.push(({ time }) => time === undefined || !(Date.parse(time) < since));
  if (denied || auditDenials)
    tests.push((record) => (denied === true && isDenied(record)) || (auditDenials === true && isAuditDenial(record)));
  if (policy !== undefined) tests.push((record) => policy.some((name) => isAbout(record, name)));
  if (label !== undefined)
    tests.push(({ current }) => {
      const labels = current?.container?.labels;
      return labels != null && label.every((selector) => selector.matches(labels as Record<string, string>));
    });
  if (id !== undefined) tests.push((record) => record.id !== undefined && id.includes(record.id));
  const onlyDecisions = tests.length > (since === undefined ? 0 : 1);
  if (shadow) tests.push(({ type }) => type === "shadow");
  // what the shadow denies was not denied: it is shown beside the decision that `--id` names, or if it is asked for
  const isShown = (type: string | undefined) =>
    !onlyDecisions || type === "decision" || (type === "shadow" && (shadow === true || id !== undefined));
  return (record) => isShown(record.type) && tests.every((test) => test(record));
}

/** Whether the attachment of this name, or of a policy with this digest, was asked or denied. */
function isAbout({ answers, denied_by, audit_denials }: ReadRecord, name: string): boolean {
  const isDigest = DIGEST.test(name);
  if (answers?.some((answer) => answer?.attachment === name || (isDigest && answer?.policy?.startsWith(name))))
    return true;
  return [denied_by, ...(audit_denials ?? [])].some((denial) => denial?.attachment === name);
}

/** The beginning of a SHA-256 that is long enough to mean one policy. */
const DIGEST = /^[0-9a-f]{8,64}$/;

/** The argument of `--since`. */
export function sinceOption(text: string): number {
  return sinceTime(text, Date.now());
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A time such as `2026-01-31T12:00:00Z`, or a duration before `now` such as `90s`, `10m`, `2h` or `7d`. Throws USAGE.
 */
function sinceTime(text: string, now: number): number {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const time = unit === undefined ? Date.parse(text) : now - Number(amount) * (UNITS[unit] as number);
  if (!Number.isNaN(time)) return time;
  throw new CountersignError("USAGE", `\`${text}\` is no time`, {
    remedy: "write it such as 2026-01-31T12:00:00Z, or as a duration such as 10m, 2h or 7d",
  });
}
