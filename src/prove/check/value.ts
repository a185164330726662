import type { AnyNode, Pattern } from "acorn";
import type { FactDomain } from "../../fact-type.js";
import { Glob } from "../../policy/scope/glob.js";
import { addPatternNames } from "../../policy/syntax/patterns.js";
import { type Fields, INHERITED } from "../facts/declarations.js";
import type { LinearTerm, TextPart } from "../shared/atom.js";
import { notEvaluated } from "./path.js";
import { declaredVariable, type Variable } from "./variable.js";

/** A sum of a constant and multiples of symbols. */
export interface Sum {
  readonly constant: bigint;
  readonly of: ReadonlyMap<string, bigint>;
}

/** A value that is not known. */
export type Unknown =
  | { readonly kind: "object"; readonly name: string; readonly fields: Fields; readonly isSubject: boolean }
  | { readonly kind: "record" | "list"; readonly name: string; readonly of: FactDomain }
  | { readonly kind: "bytes" | "text" | "json"; readonly name: string }
  /** An integer below 2^53, as are all sums of a part of it; or one symbol that is any finite number. */
  | { readonly kind: "number"; readonly sum: Sum }
  | { readonly kind: "joined"; readonly parts: readonly TextPart[] }
  /** A number that a loop over a list adds to: the variable's value before, and what was added for one element. */
  | { readonly kind: "accumulated"; readonly of: object; readonly terms: readonly Sum[] };

/** The parts of a text between units of one kind: `split` of a text that is not known. */
export class Split {
  /** Whether the last part was taken from them. */
  isShortened = false;

  constructor(
    readonly of: string,
    readonly unit: string,
  ) {}
}

/** A node of one of these types. */
export type NodeOf<T extends AnyNode["type"]> = Extract<AnyNode, { type: T }>;

/** What conditions say of a text and a constant, by their kind. */
export const TEXT_TESTS: Readonly<Record<string, (text: string, constant: string) => boolean>> = {
  equals: (text, constant) => text === constant,
  starts: (text, constant) => text.startsWith(constant),
  ends: (text, constant) => text.endsWith(constant),
  includes: (text, constant) => text.includes(constant),
  regex: (text, constant) => new RegExp(constant).test(text),
  matches: (text, constant) => new Glob(constant).matches(text),
};

/** A symbol: no object of a policy is one. */
export class Sym {
  constructor(readonly its: Unknown) {}
}

/** A function that the policy wrote. */
export class Closure {
  constructor(
    readonly node: NodeOf<"ArrowFunctionExpression" | "FunctionExpression" | "FunctionDeclaration">,
    readonly scope: Scope,
  ) {}
}

/** A regular expression or a set, of which only one method is evaluated, and only where it is called. */
export class Native {
  constructor(
    readonly method: string,
    readonly call: (given: readonly unknown[]) => unknown,
  ) {}
}

/**
 * An object that the policy wrote as `{…}`, or one whose properties are found when they are read. All others are
 * undefined, except those of `Object.prototype`, which are never evaluated.
 */
export class Plain {
  constructor(
    readonly properties: Map<string, () => unknown>,
    /** Whether the policy wrote it, or it is from a map: there are no other properties. */
    readonly isWritten = false,
  ) {}
}

/** Functions that objects inherit, by their names: they are not called, and few of their properties are read. */
export const INHERITED_FUNCTIONS: ReadonlyMap<string, Native> = new Map(
  INHERITED.object.map((name) => [name, new Native("", () => notEvaluated(name))]),
);
const IS_INHERITED = new Set<unknown>(INHERITED_FUNCTIONS.values());

export const isInheritedFunction = (value: unknown) => IS_INHERITED.has(value);

export const unknownOf = (value: unknown) => (value instanceof Sym ? value.its : null);

export const isPrimitive = (value: unknown) => value === null || !["object", "function"].includes(typeof value);

/** A sum as a value. */
export const numberOf = (sum: Sum) => (sum.of.size === 0 ? Number(sum.constant) : new Sym({ kind: "number", sum }));

export function linear({ constant, of }: Sum): LinearTerm {
  return { constant: String(constant), of: [...of].map(([name, by]) => [String(by), name]) };
}

export function plus(left: Sum, right: Sum, times: bigint): Sum {
  const of = new Map(left.of);
  for (const [name, by] of right.of) {
    const sum = (of.get(name) ?? 0n) + times * by;
    if (sum === 0n) of.delete(name);
    else of.set(name, sum);
  }
  return { constant: left.constant + times * right.constant, of };
}

export const constant = (value: bigint): Sum => ({ constant: value, of: new Map() });

const RESERVED = Symbol("reserved");

/** The variables of a block, and those around it. */
export class Scope {
  readonly #variables = new Map<string, Variable>();

  constructor(private readonly outer: Scope | null) {}

  /** Names that are declared later in this block: they cannot be read before that. */
  reserve(patterns: readonly Pattern[]): void {
    const names: string[] = [];
    for (const pattern of patterns) addPatternNames(pattern, names);
    for (const name of names) this.declare(name, RESERVED, true);
  }

  declare(name: string, value: unknown, isConstant: boolean): void {
    this.#variables.set(name, declaredVariable(value, isConstant));
  }

  read(name: string): unknown {
    const { value } = this.#find(name);
    return value === RESERVED ? notEvaluated(`\`${name}\` before its declaration`) : value;
  }

  /** A variable that can be assigned to. */
  variable(name: string): Variable {
    const variable = this.#find(name);
    return variable.isConstant ? notEvaluated("an assignment to a constant") : variable;
  }

  /** The variables of these names that are declared by now and can be assigned to. */
  among(names: Iterable<string>): readonly Variable[] {
    return [...names].flatMap((name) => {
      const its = this.#found(name);
      return its === null || its.isConstant ? [] : [its];
    });
  }

  #find(name: string): Variable {
    return this.#found(name) ?? notEvaluated(`the name \`${name}\` here`);
  }

  #found(name: string): Variable | null {
    const { outer } = this;
    return this.#variables.get(name) ?? (outer === null ? null : outer.#found(name));
  }
}
