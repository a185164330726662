import { test } from "./path.js";
import { linear, type Term } from "./term.js";

export type Integer = Extract<Term, { k: "integer" }>;

/** Whether a number is 0, below 0, or at most 0, on this path. */
export function testNumber(term: Integer, is: "= 0" | "< 0" | "<= 0"): boolean {
  const { constant, of } = term;
  if (of.size > 0) return test({ kind: "number", term: linear(term), is });
  return is === "= 0" ? constant === 0n : is === "< 0" ? constant < 0n : constant <= 0n;
}

export function combined(left: Integer, right: Integer, sign: bigint): Integer {
  const of = new Map(left.of);
  for (const [name, summand] of right.of) {
    const coefficient = (of.get(name)?.coefficient ?? 0n) + sign * summand.coefficient;
    if (coefficient === 0n) of.delete(name);
    else of.set(name, { ...summand, coefficient });
  }
  return { k: "integer", constant: left.constant + sign * right.constant, of };
}

export function multiple({ constant, of }: Integer, by: bigint): Integer {
  const multiples = [...of].map(([name, its]) => [name, { ...its, coefficient: by * its.coefficient }] as const);
  return { k: "integer", constant: by * constant, of: new Map(multiples) };
}

export function constantTerm(constant: bigint): Integer {
  return { k: "integer", constant, of: new Map() };
}

/** Whether an integer is within bounds, on this path. */
export function isWithin(term: Integer, least: bigint, most: bigint): boolean {
  if (testNumber(combined(term, constantTerm(least), -1n), "< 0")) return false;
  return !testNumber(combined(constantTerm(most), term, -1n), "< 0");
}
