import type { Condition } from "./condition.js";
import { withOperands } from "./constraints.js";
import { namesIn } from "./element-conditions.js";
import type { Clause, ListKnowledge } from "./lists.js";

/** What holds of the values that `reduce` gives: the initial one if the list is empty. */
export function foldedClauses(
  conditions: readonly Condition[],
  { symbols, origins }: Pick<ListKnowledge, "symbols" | "origins">,
): Clause[] {
  if (![...origins.values()].some(({ kind }) => kind === "folded")) return [];
  const { names } = withOperands(
    conditions.flatMap(({ atom }) => namesIn(atom)),
    origins,
  );
  return names.flatMap((name): Clause[] => {
    const origin = origins.get(name);
    if (origin?.kind !== "folded" || !Number.isSafeInteger(origin.initial)) return [];
    const length = `${origin.list}.length`;
    if (!symbols.has(length)) return [];
    const isInitial = { constant: String(-BigInt(origin.initial)), of: [["1", name]] } as const;
    const isEmpty = { constant: "0", of: [["1", length]] } as const;
    return [
      [
        [{ atom: { kind: "number", term: isInitial, is: "= 0" }, is: true }],
        [{ atom: { kind: "number", term: isEmpty, is: "<= 0" }, is: false }],
      ],
    ];
  });
}
