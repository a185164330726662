import type { FactField } from "./fact-type.js";

/**
 * The ways in which policies come to be asked about a subject:
 *
 * - `offline`: the facts are read from a file (`check`, `test`, `list`, `seal build`);
 * - `described`: a person states them in a test's case or in a request;
 * - `gate`: `run` and `agent` read them from the operation itself;
 * - `sealed`: the guard in the kernel compares what a list of judged files says of them;
 * - `scan`: the kernel reports them about what is loaded already.
 */
const WAYS = ["offline", "described", "gate", "sealed", "scan"] as const;
export type Way = (typeof WAYS)[number];
/**
 * The ways in which a verdict decides about an operation. A scan asks what they would decide about programs that were
 * loaded without them, of which it knows less: policies are not written for that.
 */
const DECIDING = WAYS.filter((way) => way !== "scan");
export type DecidingWay = Exclude<Way, "scan">;

/**
 * How a way of asking knows a fact, compared with the operation that the hook is about. Reasons are clauses.
 *
 * - `yes`: it has the operation's value;
 * - `null`: it is null, whatever the operation's value is;
 * - `same-as`: it has the value of another fact of the subject;
 * - `differs`: it can have another value, for one of these reasons;
 * - `unknown`: the subject lacks the fact in these cases, and reading it is the fault UNKNOWN_FACT. `at` are the hooks
 *   at which this can be; absent if it can be at all hooks that have the subject;
 * - `not asked`: policies are not asked about such a subject in this way.
 */
export type Known =
  | "yes"
  | "null"
  | "not asked"
  | { readonly "same-as": string }
  | { readonly differs: readonly string[] }
  | Unknown;

interface Unknown {
  readonly unknown: string;
  readonly at?: readonly string[];
}

export type KnownBy = Readonly<Record<Way, Known>>;

/** A fact of a subject or of `current`: a row of the tables of facts that policies see. */
export interface SubjectField<T = unknown> extends FactField<T> {
  readonly known: KnownBy;
  /** Whether policies do not see it. */
  readonly withheld?: true;
}

export type SubjectFields = Readonly<Record<string, SubjectField>>;

/** Has the same value however policies are asked, apart from the ways that are given. */
export function known<const K extends Partial<KnownBy>>(other: K): KnownBy & K {
  return { ...EVERYWHERE, ...other };
}

export const EVERYWHERE = {
  ...{ offline: "yes", described: "yes", gate: "yes", sealed: "yes", scan: "yes" },
} as const satisfies KnownBy;

/** Facts of commands and tokens. A guard does not decide about them, and a scan finds none. */
export const AT_A_CALL = known({ sealed: "not asked", scan: "not asked" });
/** Facts of a file: the guard compares a digest of its contents. */
export const OF_CONTENTS = known({ scan: "not asked" });

export function differs<const R extends readonly string[]>(...differs: R): { readonly differs: R } {
  return { differs };
}

/**
 * The reason in words for which a fact is not the operation's value in a way of asking; null if it is. Reasons among
 * `apart` do not count.
 */
export function whyNot({ known }: SubjectField, way: Way, apart: readonly string[] = []): string | null {
  const how = known[way];
  if (how === "yes") return null;
  if (typeof how === "string") return how;
  if ("same-as" in how) return `the same as \`${how["same-as"]}\``;
  if ("unknown" in how) return `unknown ${how.unknown}`;
  const reasons = how.differs.filter((reason) => !apart.includes(reason));
  return reasons.length === 0 ? null : reasons.join("; ");
}

/** Whether a fact differs in a way of asking where a reason holds. */
export function differsFor({ known }: SubjectField, way: Way, reason: string): boolean {
  const how = known[way];
  return typeof how === "object" && "differs" in how && how.differs.includes(reason);
}

/** The cases in which a fact is unknown to policies that decide, or in a scan. */
export function unknownCases({ known }: SubjectField, isScan: boolean): readonly Unknown[] {
  const ways: readonly Way[] = isScan ? ["scan"] : DECIDING;
  return ways.flatMap((way) => {
    const how = known[way];
    return typeof how === "object" && "unknown" in how ? [how] : [];
  });
}

/** In which cases a fact is unknown to policies that decide, as clauses; null if it never is. */
export function whenUnknown(field: SubjectField): string | null {
  const cases = unknownCases(field, false);
  return cases.length === 0 ? null : cases.map(({ unknown }) => unknown).join(", and ");
}

/**
 * The facts of a table that can have another value than the operation's in a way of asking: those that are null or
 * unknown in it, and those that differ for one of these reasons. In the table's order.
 */
export function uncertainFacts(fields: SubjectFields, way: Way, reasons: readonly string[]): readonly string[] {
  return Object.keys(fields).filter((name) => {
    const { known, withheld } = fields[name]!;
    return withheld !== true && isUncertain(fields, known[way], way, reasons);
  });
}

function isUncertain(fields: SubjectFields, how: Known, way: Way, reasons: readonly string[]): boolean {
  if (typeof how === "string") return how === "null";
  if ("same-as" in how) return isUncertain(fields, fields[how["same-as"]]!.known[way], way, reasons);
  return "unknown" in how || how.differs.some((reason) => reasons.includes(reason));
}
