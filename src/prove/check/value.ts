import type { AnyNode } from "acorn";
import type { FactDomain } from "../../fact-type.js";
import type { Fields } from "../facts/declarations.js";
import type { LinearTerm, TextPart } from "../shared/atom.js";
import { notEvaluated } from "./path.js";

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
  /** An integer below 2^53, as are all sums of a part of it; with `isExact` false any finite number. */
  | { readonly kind: "number"; readonly sum: Sum; readonly isExact: boolean }
  | { readonly kind: "joined"; readonly parts: readonly TextPart[] };

/** A symbol: no object of a policy is one. */
export class Sym {
  constructor(readonly its: Unknown) {}
}

/** A function that the policy wrote. */
export class Closure {
  constructor(
    readonly node: Extract<AnyNode, { type: "ArrowFunctionExpression" | "FunctionExpression" | "FunctionDeclaration" }>,
    readonly scope: Scope,
  ) {}
}

/** A function of the virtual module. */
export class Native {
  constructor(readonly call: (given: readonly unknown[]) => unknown) {}
}

/** An object that the policy wrote as `{…}`. */
export class Plain {
  readonly properties = new Map<string, unknown>();
}

export function unknownOf(value: unknown): Unknown | null {
  return value instanceof Sym ? value.its : null;
}

export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== "object" && typeof value !== "function");
}

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

export function constant(value: bigint): Sum {
  return { constant: value, of: new Map() };
}

interface Variable {
  value: unknown;
  readonly isConstant: boolean;
}

const RESERVED = Symbol("reserved");

/** The variables of a block, and those around it. */
export class Scope {
  readonly #variables = new Map<string, Variable>();

  constructor(private readonly outer: Scope | null) {}

  /** A name that is declared later in this block: it cannot be read before that. */
  reserve(names: readonly string[]): void {
    for (const name of names) this.#variables.set(name, { value: RESERVED, isConstant: true });
  }

  declare(name: string, value: unknown, isConstant: boolean): void {
    this.#variables.set(name, { value, isConstant });
  }

  read(name: string): unknown {
    const { value } = this.#find(name);
    return value === RESERVED ? notEvaluated(`\`${name}\` before its declaration`) : value;
  }

  write(name: string, value: unknown): void {
    const variable = this.#find(name);
    if (variable.isConstant) notEvaluated("an assignment to a constant");
    variable.value = value;
  }

  #find(name: string): Variable {
    const own = this.#variables.get(name);
    if (own !== undefined) return own;
    return this.outer === null ? notEvaluated(`the name \`${name}\` here`) : this.outer.#find(name);
  }
}
