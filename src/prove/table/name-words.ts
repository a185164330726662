import type { TextPart } from "../shared/atom.js";
import type { Knowledge } from "../solver/solver.js";
import { nameWords } from "./condition-words.js";
import { negated } from "./formula.js";
import { formulaWords } from "./formula-words.js";
import { isMissing } from "./missing-values.js";
import type { ChosenValue, NamedValue, ValueCase } from "./named-value.js";

type Known = Pick<Knowledge, "origins" | "symbols">;

/** What a name stands for: `map_lookup("limits", tier ?? "")`, or `a if …, else b`. */
export function valueWords({ cases }: NamedValue, knowledge: Known): string {
  const [first, ...others] = cases;
  if (others.length === 0) return chosenWords(first!.value);
  const replaced = others.length === 1 ? replacedWords(first!, others[0]!, knowledge) : null;
  if (replaced !== null) return replaced;
  return cases
    .map((one, index) => {
      if (index === cases.length - 1) return `else ${chosenWords(one.value)}`;
      return `${chosenWords(one.value)} if ${formulaWords(one.if)}`;
    })
    .join(", ");
}

function chosenWords(value: ChosenValue): string {
  return "symbol" in value ? nameWords(value.symbol) : String(value.constant);
}

/** What has the form `A ?? B` in a policy; null for anything else. */
function replacedWords(one: ValueCase, other: ValueCase, knowledge: Known): string | null {
  if ("constant" in one.value) {
    const symbol = "symbol" in other.value ? other.value.symbol : "";
    return isMissing(symbol, one.if, knowledge) ? `${nameWords(symbol)} ?? ${one.value.constant}` : null;
  }
  const [first, second] = [keyOf(one.value, knowledge), keyOf(other.value, knowledge)];
  if (first === undefined || second === undefined || first.map !== second.map) return null;
  // The first case is that the key is missing, or that it is there
  const cases = [
    { its: second, otherwise: first, if: one.if },
    { its: first, otherwise: second, if: negated(one.if) },
  ];
  for (const { its, otherwise, if: missing } of cases)
    if (its.symbol !== null && otherwise.words !== null && isMissing(its.symbol, missing, knowledge))
      return `map_lookup(${JSON.stringify(its.map)}, ${nameWords(its.symbol)} ?? ${otherwise.words})`;
  return null;
}

interface Key {
  readonly map: string;
  /** The name of a text that is the key; null for any other key. */
  readonly symbol: string | null;
  /** A constant key as JSON; null for any other key. */
  readonly words: string | null;
}

function keyOf(value: ChosenValue, { origins }: Known): Key | undefined {
  const origin = "symbol" in value ? origins.get(value.symbol) : undefined;
  if (origin?.kind !== "lookup") return undefined;
  const [part, ...others] = origin.key as readonly (TextPart | undefined)[];
  const only = others.length === 0 ? part : null;
  return {
    map: origin.map,
    symbol: typeof only === "object" && only !== null && "text" in only ? only.text : null,
    words: only === undefined ? '""' : typeof only === "string" ? JSON.stringify(only) : null,
  };
}
