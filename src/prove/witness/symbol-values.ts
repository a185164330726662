import { Glob } from "../../policy/scope/glob.js";
import { termNumber, termValue } from "../arithmetic/exact-number.js";
import { evaluated } from "../arithmetic/expression.js";
import {
  anyElement,
  type EachPart,
  type EachText,
  type ElementCase,
  type FoldedOrigin,
  type LinearTerm,
  type TextPart,
} from "../shared/atom.js";
import { TEXT_RELATIONS } from "../shared/text-relation.js";
import { measuredName, measureOf, stepOf, wholeName } from "../shared/text-step.js";
import { jsonText, numberText, valueText } from "../shared/value-text.js";
import type { Condition } from "../solver/condition.js";
import type { Knowledge } from "../solver/solver.js";
import { expressionAutomaton } from "../texts/automaton.js";
import { comparesAsNumber } from "../texts/numeric-text.js";
import type { Input } from "./input.js";
import { symbolPath } from "./symbol-path.js";

/** What a condition needs is not in the input, so that the path does not apply to it: a field of null, for example. */
class Missing extends Error {}

/** The values of symbols for one input. */
export class SymbolValues {
  readonly #roots = new Map<string, unknown>();
  readonly #names: Iterable<string>;

  constructor(
    private readonly input: Input,
    private readonly knowledge: Pick<Knowledge, "argument" | "origins" | "symbols">,
    /** An element of a list, under the name that stands for any of them, and the accumulator of `reduce`. */
    known: ReadonlyMap<string, unknown> = new Map(),
  ) {
    const { origins } = knowledge;
    for (const [name, value] of known) this.#roots.set(name, value);
    this.#names = new Set([...origins.keys(), ...known.keys()]);
  }

  /** Whether all conditions are true. */
  satisfy(conditions: readonly Condition[]): boolean {
    try {
      return conditions.every(({ atom, is }) => this.#isTrue(atom) === is);
    } catch (error) {
      if (error instanceof Missing) return false;
      throw error;
    }
  }

  text(parts: readonly TextPart[]): string {
    const words = parts.map((part) => {
      if (typeof part === "string") return part;
      if ("text" in part) return textOf(this.valueOf(part.text), part.text);
      if ("quoted" in part) return JSON.stringify(this.text(part.quoted));
      if ("stringified" in part) return this.#stringified(part.stringified);
      if ("json" in part) return this.#written(part.json);
      if ("unknown" in part) throw new Missing(part.unknown);
      return "number" in part ? numberText(this.number(part.number)) : this.#each(part.each);
    });
    return words.join("");
  }

  #stringified(name: string): string {
    const value = this.valueOf(name);
    if (value === undefined) throw new Missing(name);
    return jsonText(value);
  }

  /** The text, or null if a part of it is not in the input. */
  textIfThere(parts: readonly TextPart[]): string | null {
    try {
      return this.text(parts);
    } catch (error) {
      if (error instanceof Missing) return null;
      throw error;
    }
  }

  #written(name: string): string {
    const value = this.valueOf(name);
    if (value === undefined || !isWritten(value)) throw new Missing(name);
    return valueText(value);
  }

  number(term: LinearTerm): number {
    return termNumber(term, this.#number);
  }

  valueOf(name: string): unknown {
    const domain = this.knowledge.symbols.get(name);
    if (domain?.kind === "text" && domain.step !== undefined) {
      const whole = wholeName(name, domain.step);
      return stepOf(textOf(this.valueOf(whole), whole), domain.step);
    }
    const measure = domain?.kind === "integer" ? domain.measure : undefined;
    if (measure !== undefined) return measureOf(textOf(this.valueOf(measuredName(name, measure)), name), measure);
    if (name.endsWith(".length")) {
      const whole = this.knowledge.symbols.get(name.slice(0, -".length".length));
      if (whole?.kind === "text" && whole.step !== undefined)
        return textOf(this.valueOf(name.slice(0, -".length".length)), name).length;
    }
    const { root, keys, mark } = symbolPath(name, this.#names);
    const value = keys.reduce((at, key) => this.#property(at, key), this.#root(root));
    if (mark === "?") return value === null;
    return mark === "!" ? value !== undefined : value;
  }

  readonly #number = (name: string): number => {
    const value = this.valueOf(name);
    if (typeof value !== "number") throw new Missing(name);
    return value;
  };

  #isTrue(atom: Condition["atom"]): boolean {
    if (atom.kind === "number") {
      const value = termValue(atom.term, this.#number);
      return atom.is === "= 0" ? value === 0n : atom.is === "< 0" ? value < 0n : value <= 0n;
    }
    if (atom.kind === "texts") return TEXT_RELATIONS[atom.relation](this.text(atom.left), this.text(atom.right));
    if (atom.kind === "integer") return Number.isInteger(this.#number(atom.of));
    if (atom.kind === "any") return atom.where.some((one) => this.satisfy(one));
    if (atom.kind === "some") return this.#elements(atom.of, atom.where).length > 0;
    const value = this.valueOf(atom.of);
    switch (atom.kind) {
      case "flag":
      case "null":
      case "exists":
        return value === true;
      case "equals":
        return value === atom.text;
      case "same":
        return textOf(value, atom.of) === textOf(this.valueOf(atom.other), atom.other);
      case "starts":
        return textOf(value, atom.of).startsWith(atom.text);
      case "ends":
        return textOf(value, atom.of).endsWith(atom.text);
      case "includes":
        return textOf(value, atom.of).includes(atom.text);
      case "matches":
        return new Glob(atom.text).matches(textOf(value, atom.of));
      case "compares":
        return comparesAsNumber(Array.isArray(value) ? this.#written(atom.of) : textOf(value, atom.of), atom.text);
      case "before":
        return textOf(value, atom.of) < atom.text;
      case "regex":
        return expressionAutomaton(atom.text, atom.flags).matches(textOf(value, atom.of));
      case "written":
        if (value === undefined) throw new Missing(atom.of);
        return isWritten(value);
      case "type":
        return (atom.among as readonly string[]).includes(jsonType(value));
    }
  }

  #each({ separator, parts }: EachText): string {
    return parts.flatMap((part) => this.#texts(part)).join(separator);
  }

  #texts(part: EachPart): readonly string[] {
    if (!("list" in part)) return part.where.some((one) => this.satisfy(one)) ? [this.text(part.text)] : [];
    const { list, cases } = part;
    return (this.valueOf(list) as readonly unknown[]).flatMap((value) => {
      const values = this.#about(list, value);
      const found = cases.find(({ where }) => values.satisfy(where));
      return found === undefined ? [] : [values.text(found.text)];
    });
  }

  /** The values of symbols with an element of a list under the name that stands for any of them. */
  #about(list: string, value: unknown): SymbolValues {
    return new SymbolValues(this.input, this.knowledge, new Map([[anyElement(list), value]]));
  }

  /** The elements of a list that are in one of the cases. */
  #elements(list: string, where: readonly ElementCase[]): readonly unknown[] {
    const all = this.valueOf(list);
    if (!Array.isArray(all)) throw new Missing(list);
    return all.filter((value) => {
      const values = this.#about(list, value);
      return where.some((one) => values.satisfy(one));
    });
  }

  /** The value that `reduce` gives, element by element. */
  #folded({ list, initial, accumulator, cases }: FoldedOrigin): number {
    const all = this.valueOf(list);
    if (!Array.isArray(all)) throw new Missing(list);
    let value = initial;
    for (const element of all) {
      const known = new Map<string, unknown>([
        [anyElement(list), element],
        [accumulator, value],
      ]);
      const values = new SymbolValues(this.input, this.knowledge, known);
      const found = cases.find(({ where }) => values.satisfy(where));
      if (found !== undefined) value = evaluated(found.expression, (term) => values.number(term));
    }
    return value;
  }

  #root(name: string): unknown {
    if (!this.#roots.has(name)) this.#roots.set(name, this.#found(name));
    return this.#roots.get(name);
  }

  #found(name: string): unknown {
    if (name === this.knowledge.argument) return this.input.subject;
    if (name === "current") return this.input.current;
    const origin = this.knowledge.origins.get(name);
    if (origin === undefined) throw new TypeError(`\`${name}\` has no origin`);
    if (origin.kind === "count") return this.#elements(origin.list, origin.where).length;
    if (origin.kind === "computed") return evaluated(origin.expression, (term) => this.number(term));
    if (origin.kind === "folded") return this.#folded(origin);
    if (origin.kind === "there") return origin.values.filter((where) => where.some((one) => this.satisfy(one))).length;
    if (origin.kind === "element") {
      const found = this.#elements(origin.list, origin.where);
      if (found.length === 0) throw new Missing(name);
      return found[0];
    }
    return this.input.answer(origin, origin.kind === "lookup" ? this.text(origin.key) : null);
  }

  #property(value: unknown, key: string): unknown {
    if (typeof value === "string" && key === "length") return value.length;
    if (typeof value !== "object" || value === null) throw new Missing(key);
    return key === "length" || Object.hasOwn(value, key)
      ? (value as Readonly<Record<string, unknown>>)[key]
      : undefined;
  }
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw new Missing(name);
  return value;
}

/** Whether `String(value)` of a JSON value does not throw. */
function isWritten(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isWritten);
  return typeof value !== "object" || value === null || !Object.hasOwn(value, "toString");
}

function jsonType(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  return Array.isArray(value) ? "array" : typeof value;
}
