import type { FactDomain } from "../../fact-type.js";
import type { Fold } from "../arithmetic/fold.js";
import type { Range } from "../arithmetic/range.js";
import type { EachText, ElementCase, Expression, LinearTerm, TextPart } from "../shared/atom.js";

type Fields = Readonly<Record<string, FactDomain>>;

/** What a symbol in the sandbox stands for. */
export type Term =
  /** An object with facts. */
  | {
      readonly k: "object";
      readonly name: string;
      readonly fields: Fields;
      readonly isSubject: boolean;
      /** The name of its interface; absent for subjects, callers and what helpers return. */
      readonly declared?: string;
    }
  | { readonly k: "record" | "list"; readonly name: string; readonly of: FactDomain }
  /** An array of what lists that are not known give, and of values that it may have: one part after the other. */
  | { readonly k: "sequence"; readonly parts: readonly Part[] }
  /** Such an array without some elements at its beginning. */
  | { readonly k: "rest"; readonly parts: readonly Part[]; readonly from: number }
  /** A fact that is found when it is used. */
  | { readonly k: "deferred"; readonly read: () => unknown }
  | { readonly k: "bytes"; readonly name: string }
  /** A regular expression of the policy, with a copy of it that the explorer can call. */
  | { readonly k: "pattern"; readonly native: RegExp; readonly source: string; readonly flags: string }
  | { readonly k: "text"; readonly name: string }
  /** Parts of a text: a JSON value that is written as JavaScript does, and texts of all elements of a list. */
  | { readonly k: "written"; readonly name: string }
  | { readonly k: "each"; readonly each: EachText; readonly isThere: (place: number) => boolean }
  /** Parts of a text that JSON.stringify makes: a text in quotes, and a JSON value. */
  | { readonly k: "quoted"; readonly parts: readonly (string | Term)[] }
  | { readonly k: "stringified"; readonly name: string }
  /** A text of which nothing is known, which is good only for reasons and notes. */
  | { readonly k: "unknown"; readonly why: string }
  /** Constants and symbols one after the other. */
  | { readonly k: "joined"; readonly parts: readonly (string | Term)[] }
  /** A reason with such parts, which is cut if it is long. */
  | { readonly k: "reason"; readonly parts: readonly (string | Term)[] }
  /** The parts of a text between constants of one unit; `born` is the number of loops around the call. */
  | { readonly k: "split"; readonly name: string; readonly unit: string; readonly born: number }
  /** An integer, whose value and intermediate values are between -(2^53-1) and 2^53-1. */
  | { readonly k: "integer"; readonly constant: bigint; readonly of: ReadonlyMap<string, Summand> }
  /** A finite double of JSON or of an operation: its expression is what is computed. */
  | {
      readonly k: "double";
      readonly name: string;
      readonly expression: Expression;
      readonly range: Range;
      /** How it is made from a variable that a loop changes; absent if that is not in it, or not known. */
      readonly fold?: Fold;
    }
  /** An object that the explorer makes for a property; its parts are found when they are read. */
  | {
      readonly k: "lazy";
      readonly name: string;
      readonly fields: Readonly<Record<string, () => unknown>>;
      /** The domains of a caller or container that was changed; null for anything else. */
      readonly domains: Fields | null;
    }
  /** A value that a loop over a list may have changed: nothing may be asked about it, for this reason. */
  | { readonly k: "changing"; readonly why: string }
  /** A JSON value whose type is not known yet, an object, or an array. */
  | { readonly k: "json"; readonly name: string };

/** A part of an array. */
export type Part = ListPart | ItemPart;

/** What the elements of a list give that are in one of the cases, in their order. */
export interface ListPart {
  readonly list: string;
  /** Null for an array in a map. */
  readonly of: FactDomain | null;
  readonly cases: readonly PartCase[];
  /** Whether each element is in one of the cases. */
  readonly isWhole: boolean;
}

export interface PartCase {
  readonly where: ElementCase;
  readonly value: CaseValue;
}

/** The element itself, or another value, whose text names the element. */
export type CaseValue = "element" | { readonly text: readonly TextPart[] } | { readonly constant: null | boolean };

/** A value that is in the array if one of the cases holds. */
export interface ItemPart {
  readonly where: readonly ElementCase[];
  readonly value: unknown;
}

export interface Summand {
  readonly coefficient: bigint;
  readonly least: bigint;
  readonly most: bigint;
}

/**
 * A symbol. The term is in a private field, so that the policy cannot read it, and no object of the policy is a symbol.
 * Every operation of a policy on a value goes through the explorer, which looks for symbols first.
 */
export class Sym {
  readonly #term: Term;

  constructor(term: Term) {
    this.#term = term;
  }

  /** The term of a symbol; null for any other value. */
  static term(value: unknown): Term | null {
    return typeof value === "object" && value !== null && #term in value ? value.#term : null;
  }
}

export const { term: termOf } = Sym;

export function isSymbol(value: unknown): value is Sym {
  return termOf(value) !== null;
}

export function linear({ constant, of }: Extract<Term, { k: "integer" }>): LinearTerm {
  return { constant: String(constant), of: [...of].map(([name, { coefficient }]) => [String(coefficient), name]) };
}

/** A symbol as a term. */
export function only(name: string): LinearTerm {
  return { constant: "0", of: [["1", name]] };
}

/** The parts of a text term, for the host. */
export function partsOf(parts: readonly (string | Term)[]): TextPart[] {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    if (part.k === "text") return { text: part.name };
    if (part.k === "integer") return { number: linear(part) };
    if (part.k === "double") return { number: only(part.name) };
    if (part.k === "written") return { json: part.name };
    if (part.k === "each") return { each: part.each };
    if (part.k === "quoted") return { quoted: partsOf(part.parts) };
    if (part.k === "stringified") return { stringified: part.name };
    if (part.k === "unknown") return { unknown: part.why };
    throw new TypeError(`a ${part.k} is no part of a text`);
  });
}

/** The same parts for the sandbox. A number is only good for a text: its bounds are not known here. */
export function textTerms(parts: readonly TextPart[]): (string | Term)[] {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    if ("text" in part) return { k: "text", name: part.text };
    if ("json" in part) return { k: "written", name: part.json };
    if ("quoted" in part) return { k: "quoted", parts: textTerms(part.quoted) };
    if ("stringified" in part) return { k: "stringified", name: part.stringified };
    if ("unknown" in part) return { k: "unknown", why: part.unknown };
    if ("each" in part) throw new TypeError("a text of elements is no part of an element's text");
    const of = part.number.of.map(([by, name]) => [name, { coefficient: BigInt(by), least: 0n, most: 0n }] as const);
    return { k: "integer", constant: BigInt(part.number.constant), of: new Map(of) };
  });
}
