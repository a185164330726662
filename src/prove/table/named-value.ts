import type { Formula } from "./formula.js";
import type { Constant } from "./substitution.js";

/** A value in conditions that is one of several. `name` stands for it in the names of symbols. */
export interface NamedValue {
  readonly name: string;
  /** The first case that holds has the value; the last one always does. */
  readonly cases: readonly ValueCase[];
}

export interface ValueCase {
  readonly if: Formula;
  readonly value: ChosenValue;
}

/** A symbol by name, which can be that of another {@link NamedValue}, or a constant. */
export type ChosenValue = { readonly symbol: string } | { readonly constant: Constant };

/** A name as it stands in JSON. */
export function quoted(name: string): string {
  return JSON.stringify(name).slice(1, -1);
}
