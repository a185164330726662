import { hash } from "node:crypto";
import type { Declarations } from "../facts/declarations.js";
import type { Atom, ElementCase, JsonType, LinearTerm, TextPart } from "../shared/atom.js";
import type { End } from "../shared/certificate.js";
import { type JsonSchemas, jsonDomain } from "../shared/json-domain.js";
import type { TextMeasure, TextStep } from "../shared/text-step.js";
import type { AskedConfiguration } from "../witness/engine-decision.js";
import { lastVariable, type Variable } from "./variable.js";

/** A condition that holds, or does not. */
export interface Condition {
  readonly atom: Atom;
  readonly is: boolean;
}

/**
 * Thrown to end an evaluation: `question` is a condition that the path does not decide, `notEvaluated` names what this
 * evaluator does not have, `fault` is the code with which the policy fails.
 */
export class Stop {
  constructor(readonly why: { question: Atom } | { notEvaluated: string } | { fault: string }) {}
}

export function notEvaluated(what: string): never {
  throw new Stop({ notEvaluated: what });
}

/** The fault of an error that the policy does not catch. */
export const ERROR = "POLICY_ERROR";

/** An error of JavaScript: it ends the policy unless that catches it. */
export function raise(): never {
  throw new Stop({ fault: ERROR });
}

/** What a path leads to: a condition that is to be decided, an end, or what is not evaluated. */
export type Outcome =
  | { readonly question: Atom; readonly line: string }
  | { readonly end: End; readonly line: string }
  | { readonly notEvaluated: string; readonly line: string };

/** What is computed, or the exception of a class that ends it. */
export function attempt<T, E>(kind: new (...given: never[]) => E, compute: () => T): T | E {
  try {
    return compute();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
}

/** What a symbol stands for. A bound of null is none; `values` are all that it can be, if they are known. */
export type Domain =
  | { readonly kind: "integer"; readonly least: bigint; readonly most: bigint; readonly values?: readonly number[] }
  /** A number of JSON, or an amount, which is at least 0. */
  | {
      readonly kind: "number";
      readonly least: bigint | null;
      readonly most: bigint | null;
      readonly values?: readonly number[];
    }
  | { readonly kind: "text"; readonly hex: number | null; readonly values?: readonly string[] };

/**
 * Where the value of a symbol is: in an object, in a map under a key that is a text of parts, in a text, of which it is
 * a part or a number that is found there, what arithmetic gives, the first element of a list in one of some cases, what
 * a loop adds up for the elements of a list, a helper's answer.
 */
export type Place =
  | { readonly of: string; readonly key: string }
  | { readonly map: string; readonly parts: readonly TextPart[] }
  | { readonly operator: string; readonly operands: readonly [Operand, Operand] }
  | { readonly list: string; readonly first: readonly ElementCase[] }
  | { readonly list: string; readonly initial: number; readonly cases: readonly FoldCase[] }
  | { readonly of: string; readonly step: TextStep }
  | { readonly of: string; readonly measure: TextMeasure }
  | "answer";

/** An operand of arithmetic. */
export type Operand = number | LinearTerm;

/** What a loop adds to a variable, one after the other, for the elements of a list in one case. */
export interface FoldCase {
  readonly where: ElementCase;
  readonly terms: readonly LinearTerm[];
}

/** What evaluations have said about symbols, by name: the same for all paths of a policy. */
export class Symbols {
  readonly domains = new Map<string, Domain>();
  readonly places = new Map<string, Place>();
  /** What is known of JSON values. */
  readonly schemas = new Map<string, JsonSchemas>();
  readonly #names = new Map<string, string>();

  /** The name of what is found in a list by some cases, which has their digest: it is the same for the same cases. */
  named(beginning: string, by: readonly unknown[]): string {
    const key = JSON.stringify(by);
    const name = `${beginning} ${hash("sha256", key).slice(0, 16)}]`;
    if ((this.#names.get(name) ?? key) !== key) notEvaluated("what has the same name as something else");
    this.#names.set(name, key);
    return name;
  }
}

/** The names of a configuration that policies can use. */
export type Names = AskedConfiguration["names"];

/** What an evaluation knows: conditions, declarations, names. It asks for every other condition. */
export class Path {
  #known = new Map<string, boolean>();
  #types = new Map<string, readonly JsonType[]>();
  readonly lookups = new Map<string, string>();
  /** The line of the policy that is evaluated. */
  line = "";
  /** The name of any element of a list while something is evaluated for it, which must not change anything. */
  element: string | null = null;
  /** The variables that may then change: these, and those that were declared after it began. */
  #changed: ReadonlySet<object> = new Set();
  #begun = 0;

  constructor(
    readonly conditions: readonly Condition[],
    readonly declarations: Declarations,
    readonly names: Names,
    readonly symbols: Symbols,
  ) {
    for (const condition of conditions) this.#assume(condition);
  }

  #assume({ atom, is }: Condition): void {
    this.#known.set(JSON.stringify(atom), is);
    const left = atom.kind === "type" && this.typesOf(atom.of).filter((type) => atom.among.includes(type) === is);
    if (left) this.#types.set(atom.of, left);
  }

  /**
   * The cases in which something holds for an element of a list, which has this name: each case is a way of the
   * evaluation by the conditions on the element that decide it. Other conditions are asked as everywhere.
   */
  cases(element: string, holds: () => boolean): readonly ElementCase[] {
    const ways = this.ways(element, [], () => holds());
    if (ways.some(({ its }) => its === null)) return notEvaluated("what fails for an element of a list");
    return ways.flatMap(({ where, its }) => (its ? [where] : []));
  }

  /** The same with what is computed for an element in each case; null if that fails. It may change these variables. */
  ways<T>(
    element: string,
    variables: readonly object[],
    compute: () => T,
  ): readonly { where: ElementCase; its: T | null }[] {
    if (this.element !== null) notEvaluated("a loop over a list within another one");
    const [known, types, line] = [this.#known, this.#types, this.line];
    const name = JSON.stringify(element).slice(1, -1);
    const found: { where: ElementCase; its: T | null }[] = [];
    const left: ElementCase[] = [[]];
    this.element = element;
    this.#changed = new Set(variables);
    for (let where = left.pop(); where !== undefined; where = left.pop()) {
      [this.#known, this.#types] = [new Map(known), new Map(types)];
      for (const one of where) this.#assume(one);
      this.#begun = lastVariable();
      const its = attempt(Stop, compute);
      if (!(its instanceof Stop)) found.push({ where, its });
      else if ("fault" in its.why) found.push({ where, its: null });
      if (!(its instanceof Stop) || "fault" in its.why) continue;
      const atom = "question" in its.why ? its.why.question : null;
      if (atom === null || !JSON.stringify(atom).includes(name)) throw its;
      left.push([...where, { atom, is: false }], [...where, { atom, is: true }]);
    }
    [this.#known, this.#types, this.line, this.element] = [known, types, line, null];
    return found;
  }

  /** Whether an assignment to a variable is no change that outlasts what is computed for any element of a list. */
  mayChange(variable: Variable): boolean {
    return this.element === null || variable.number > this.#begun || this.#changed.has(variable);
  }

  ask(atom: Atom): boolean {
    const known = this.#known.get(JSON.stringify(atom));
    if (known === undefined) throw new Stop({ question: atom });
    return known;
  }

  /** The types that a JSON value can have on this path. */
  typesOf(name: string): readonly JsonType[] {
    return this.#types.get(name) ?? jsonDomain(this.symbols.schemas.get(name) ?? []).types;
  }

  /** Whether a JSON value has one of these types. */
  askType(name: string, types: readonly JsonType[]): boolean {
    const possible = this.typesOf(name);
    const among = possible.filter((type) => types.includes(type));
    if (among.length === 0 || among.length === possible.length) return among.length > 0;
    return this.ask({ kind: "type", of: name, among });
  }
}
