import type { Knowledge } from "../solver/solver.js";
import type { Input } from "../witness/input.js";
import { SymbolValues } from "../witness/symbol-values.js";
import type { Formula } from "./formula.js";
import { holds } from "./formula-values.js";
import { type NamedValue, quoted } from "./named-value.js";
import { Substitution } from "./substitution.js";

/** What the conditions of rows are for one input, with the values that names stand for in it. */
export class RowValues {
  readonly #values: SymbolValues;

  constructor(
    input: Input,
    private readonly knowledge: Pick<Knowledge, "argument" | "origins" | "symbols">,
    private readonly names: readonly NamedValue[],
  ) {
    this.#values = new SymbolValues(input, knowledge);
  }

  /** Whether all conditions of a row hold. */
  satisfy(conditions: readonly Formula[]): boolean {
    return conditions.every((one) => this.#holds(one, this.names.length));
  }

  /** `most` is the number of names that the formula can have: each has only those before it. */
  #holds(formula: Formula, most: number): boolean {
    const index = this.names.slice(0, most).findLastIndex(({ name }) => JSON.stringify(formula).includes(name));
    if (index < 0) return holds(formula, this.#values);
    const { name, cases } = this.names[index]!;
    const { value } = cases.find((one) => this.#holds(one.if, index))!;
    if ("symbol" in value) {
      const text = JSON.stringify(formula).replaceAll(name, quoted(value.symbol));
      return this.#holds(JSON.parse(text) as Formula, index);
    }
    const known = new Substitution(name, value.constant, this.knowledge).ofFormula(formula);
    if (known === null) throw new TypeError(`a condition about \`${name}\` has no value`);
    return typeof known === "boolean" ? known : this.#holds(known, index);
  }
}
