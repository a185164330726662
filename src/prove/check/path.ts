import type { Declarations } from "../facts/declarations.js";
import { type Atom, JSON_TYPES, type JsonType, type TextPart } from "../shared/atom.js";
import type { End } from "../shared/certificate.js";
import type { AskedConfiguration } from "../witness/engine-decision.js";

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

/** The error of JavaScript that ends the policy, which has no `try`. */
export function raise(): never {
  throw new Stop({ fault: "POLICY_ERROR" });
}

/** What a path leads to: a condition that is to be decided, an end, or what is not evaluated. */
export type Outcome =
  | { readonly question: Atom; readonly line: string }
  | { readonly end: End; readonly line: string }
  | { readonly notEvaluated: string; readonly line: string };

/** Evaluates under the conditions of a path, up to the first condition that they do not decide. */
export function outcomeOf(path: Path, evaluate: (path: Path) => Extract<Outcome, { end: End }>): Outcome {
  try {
    return evaluate(path);
  } catch (error) {
    if (!(error instanceof Stop) || "fault" in error.why) throw error;
    return { ...error.why, line: path.line };
  }
}

/** What a symbol stands for. A bound of null is none. */
export type Domain =
  | { readonly kind: "integer"; readonly least: bigint; readonly most: bigint }
  /** A number of JSON, or an amount, which is at least 0. */
  | { readonly kind: "number"; readonly least: bigint | null }
  | { readonly kind: "text"; readonly hex: number | null };

/** Where the value of a symbol is: in an object, in a map under a key that is a text of parts, a helper's answer. */
export type Place =
  | { readonly of: string; readonly key: string }
  | { readonly map: string; readonly parts: readonly TextPart[] }
  | "answer";

/** What evaluations have said about symbols, by name: the same for all paths of a policy. */
export class Symbols {
  readonly domains = new Map<string, Domain>();
  readonly places = new Map<string, Place>();
}

/** The names of a configuration that policies can use. */
export type Names = AskedConfiguration["names"];

/** What an evaluation knows: conditions, declarations, names. It asks for every other condition. */
export class Path {
  readonly #known = new Map<string, boolean>();
  readonly #types = new Map<string, readonly JsonType[]>();
  readonly lookups = new Map<string, string>();
  /** The line of the policy that is evaluated. */
  line = "";

  constructor(
    readonly conditions: readonly Condition[],
    readonly declarations: Declarations,
    readonly names: Names,
    readonly symbols: Symbols,
  ) {
    for (const { atom, is } of conditions) {
      this.#known.set(JSON.stringify(atom), is);
      const left = atom.kind === "type" && this.typesOf(atom.of).filter((type) => atom.among.includes(type) === is);
      if (left) this.#types.set(atom.of, left);
    }
  }

  ask(atom: Atom): boolean {
    const known = this.#known.get(JSON.stringify(atom));
    if (known === undefined) throw new Stop({ question: atom });
    return known;
  }

  /** The types that a JSON value can have on this path. */
  typesOf(name: string): readonly JsonType[] {
    return this.#types.get(name) ?? JSON_TYPES;
  }

  /** Whether a JSON value has one of these types. */
  askType(name: string, types: readonly JsonType[]): boolean {
    const possible = this.typesOf(name);
    const among = possible.filter((type) => types.includes(type));
    if (among.length === 0 || among.length === possible.length) return among.length > 0;
    return this.ask({ kind: "type", of: name, among });
  }
}
