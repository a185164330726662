import type { Atom, LinearTerm, TextPart } from "../shared/atom.js";
import { numberText } from "../shared/value-text.js";
import { namesIn } from "../solver/element-conditions.js";
import type { Knowledge } from "../solver/solver.js";
import { SymbolValues } from "../witness/symbol-values.js";
import type { TreeEnd } from "./condition-tree.js";
import type { Formula } from "./formula.js";
import { holds } from "./formula-values.js";

/** A number, or the text that a value is written as. */
export type Constant = number | string;

/** Puts a constant in the place of a symbol. */
export class Substitution {
  readonly #constant: Constant;
  readonly #text: string;
  readonly #values: SymbolValues;

  constructor(
    readonly symbol: string,
    constant: Constant,
    knowledge: Pick<Knowledge, "origins" | "symbols" | "argument">,
  ) {
    this.#text = typeof constant === "number" ? numberText(constant) : constant;
    this.#constant = constant;
    const known = new Map([[symbol, constant]]);
    this.#values = new SymbolValues({ subject: {}, current: NOBODY, answer: () => undefined }, knowledge, known);
  }

  /** The formula, or whether it holds if that follows; null if it cannot be said without the symbol. */
  ofFormula(formula: Formula): Formula | boolean | null {
    if ("atom" in formula) {
      const atom = this.#ofAtom(formula.atom);
      return atom === null ? null : typeof atom === "boolean" ? atom === formula.is : { atom, is: formula.is };
    }
    const [parts, decides] = "all" in formula ? [formula.all, false] : [formula.any, true];
    const its = parts.map((one) => this.ofFormula(one));
    if (its.includes(decides)) return decides;
    if (its.includes(null)) return null;
    const left = its.filter((one) => typeof one === "object") as Formula[];
    if (left.length === 0) return !decides;
    return left.length === 1 ? left[0]! : decides ? { any: left } : { all: left };
  }

  #ofAtom(atom: Atom): Atom | boolean | null {
    if (!JSON.stringify(atom).includes(JSON.stringify(this.symbol).slice(1, -1))) return atom;
    if (namesIn(atom).every((name) => this.#isOwn(name))) return this.#isTrue(atom);
    if (atom.kind === "number" && typeof this.#constant === "number")
      return { ...atom, term: this.#ofTerm(atom.term, this.#constant) };
    return null;
  }

  #isTrue(atom: Atom): boolean | null {
    // A text in place of a value is only written
    return typeof this.#constant === "number" ? holds({ atom, is: true }, this.#values) : null;
  }

  #isOwn(name: string): boolean {
    return name === this.symbol || /^[[.!?]/.test(name.startsWith(this.symbol) ? name.slice(this.symbol.length) : "x");
  }

  #ofTerm({ constant, of }: LinearTerm, value: number): LinearTerm {
    const own = of.filter(([, name]) => name === this.symbol);
    const sum = own.reduce((all, [by]) => all + BigInt(by) * BigInt(value), BigInt(constant));
    const others = of.filter(([, name]) => name !== this.symbol);
    const named = others.map(([by, name]) => [by, name.replaceAll(this.symbol, this.#text)] as const);
    return { constant: String(sum), of: named };
  }

  /** The end of a tree with the constant in its reason. */
  ofEnd({ end, place }: TreeEnd): TreeEnd {
    if (end === null || !("reason" in end) || end.reason === null) return { end, place };
    return { end: { ...end, reason: this.#ofTexts(end.reason) }, place };
  }

  #ofTexts(parts: readonly TextPart[]): readonly TextPart[] {
    const joined: TextPart[] = [];
    for (const part of parts.map((one) => this.#ofText(one))) {
      const last = joined.at(-1);
      if (typeof part === "string" && typeof last === "string") joined[joined.length - 1] = last + part;
      else joined.push(part);
    }
    return joined;
  }

  #ofText(part: TextPart): TextPart {
    if (typeof part === "string") return part;
    if ("json" in part) return part.json === this.symbol ? this.#text : part;
    if (!("number" in part) || typeof this.#constant !== "number") return part;
    const number = this.#ofTerm(part.number, this.#constant);
    return number.of.length === 0 ? number.constant : { number };
  }
}

const NOBODY = {} as never;
