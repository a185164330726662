import { ALWAYS, type Formula, negated } from "./formula.js";
import type { KnownValues } from "./known-values.js";
import { minimal } from "./minimal-formula.js";
import type { ChosenValue, NamedValue, ValueCase } from "./named-value.js";

/** Cases in which no value is that of another name. Of two values, one has all its cases first. */
export function chosenFirst(
  cases: readonly ValueCase[],
  values: readonly NamedValue[],
  known: KnownValues,
): readonly ValueCase[] {
  const all = cases.flatMap((one) => expanded(one, values));
  const keys = [...new Set(all.map(({ value }) => JSON.stringify(value)))];
  const last = all.at(-1)!;
  if (keys.length !== 2) return all;
  const other = all.find(({ value }) => JSON.stringify(value) !== JSON.stringify(last.value))!;
  const own = all.flatMap((one, index): Formula[] => {
    if (JSON.stringify(one.value) !== JSON.stringify(other.value)) return [];
    return [{ all: [...all.slice(0, index).map((before) => negated(before.if)), one.if] }];
  });
  return [
    { if: minimal({ any: own }, known), value: other.value },
    { if: ALWAYS, value: last.value },
  ];
}

function expanded(one: ValueCase, values: readonly NamedValue[]): readonly ValueCase[] {
  const named = namedBy(one.value, values);
  return named === undefined ? [one] : named.cases.map((its) => ({ if: { all: [one.if, its.if] }, value: its.value }));
}

function namedBy(value: ChosenValue, values: readonly NamedValue[]): NamedValue | undefined {
  return "symbol" in value ? values.find(({ name }) => name === value.symbol) : undefined;
}
