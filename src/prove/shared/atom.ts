/**
 * What the explorer in the sandbox and its host say to each other. A symbol is named by the fact that it stands for,
 * such as `prog.effects.read_only` or `verify_program(platform)`.
 */

import type { TextRelation } from "./text-relation.js";
import type { TextMeasure, TextStep } from "./text-step.js";

/** A linear term over numbers: `constant` and coefficients are decimal integers. */
export interface LinearTerm {
  readonly constant: string;
  readonly of: readonly (readonly [coefficient: string, symbol: string])[];
}

/**
 * What a policy computes with numbers, operation by operation (arithmetic/operations.ts). The value of a term in it is
 * exact in JavaScript.
 */
export type Expression = number | LinearTerm | { readonly operation: string; readonly of: readonly Expression[] };

/** The types of a JSON value; `true` and `false` are types of their own. */
export const JSON_TYPES = ["null", "true", "false", "number", "string", "array", "object"] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** What a JSON value can be. It may be less: parts of a value that depend on each other are not related. */
export interface JsonDomain {
  /** Empty if there is no such value. */
  readonly types: readonly JsonType[];
  /** The texts that it can be; null for any. */
  readonly texts: readonly string[] | null;
  /** The numbers that it can be, in ascending order; null for any between the bounds. */
  readonly numbers: readonly number[] | null;
  /** The bounds of numbers; null for none. */
  readonly least: number | null;
  readonly most: number | null;
  readonly isInteger: boolean;
}

/** A condition on symbols that is true or false for each input. */
export type Atom =
  | { readonly kind: "flag"; readonly of: string }
  | { readonly kind: "null"; readonly of: string }
  /** A key of labels, of a map or of a JSON object exists. */
  | { readonly kind: "exists"; readonly of: string }
  | { readonly kind: "equals"; readonly of: string; readonly text: string }
  | { readonly kind: "same"; readonly of: string; readonly other: string }
  | { readonly kind: "starts" | "ends" | "includes"; readonly of: string; readonly text: string }
  /** A relation of two texts of parts, more than one symbol between them. */
  | {
      readonly kind: "texts";
      readonly relation: TextRelation;
      readonly left: readonly TextPart[];
      readonly right: readonly TextPart[];
    }
  /** A text matches a pattern of a scope (policy/scope/glob.ts). */
  | { readonly kind: "matches"; readonly of: string; readonly text: string }
  /** A text comes before another one, by UTF-16 code units. */
  | { readonly kind: "before"; readonly of: string; readonly text: string }
  /**
   * A text as a number, or the text of an array, compares with a constant, as in `< 20`; false if it is no number.
   */
  | { readonly kind: "compares"; readonly of: string; readonly text: string }
  /** A regular expression matches somewhere in a text (texts/regular-expression.ts); `text` is its source. */
  | { readonly kind: "regex"; readonly of: string; readonly text: string; readonly flags: string }
  /**
   * At least one element of the list `of` is in one of the cases. `first` is the name of the first such element; null
   * if no condition names it.
   */
  | {
      readonly kind: "some";
      readonly of: string;
      readonly where: readonly ElementCase[];
      readonly first: string | null;
    }
  /** At least one of the cases holds, which are not about an element. */
  | { readonly kind: "any"; readonly where: readonly ElementCase[] }
  /** `String(value)` of a JSON value does not throw: no object in it has a property `toString`. */
  | { readonly kind: "written"; readonly of: string }
  /** A term is equal to 0, below 0, or at most 0. */
  | { readonly kind: "number"; readonly term: LinearTerm; readonly is: "= 0" | "< 0" | "<= 0" }
  /** A number is an integer. */
  | { readonly kind: "integer"; readonly of: string }
  | { readonly kind: "type"; readonly of: string; readonly among: readonly JsonType[] };

/** Conditions that all hold for an element, which they name as {@link anyElement} does. None of them: any element. */
export type ElementCase = readonly { readonly atom: Atom; readonly is: boolean }[];

/** A value of a map or an object is null, or there is none: what `??` replaces. */
export function nullOrAbsent(name: string): Atom {
  const exists: Atom = { kind: "exists", of: `${name}!` };
  const isNull: Atom = { kind: "type", of: name, among: ["null"] };
  return { kind: "any", where: [[{ atom: exists, is: false }], [{ atom: isNull, is: true }]] };
}

/** The name of the value that such a condition is about; null for any other condition. */
export function nullOrAbsentName(atom: Atom): string | null {
  const [, second] = atom.kind === "any" ? atom.where : [];
  const its = second?.[0]?.atom;
  return its?.kind === "type" && JSON.stringify(atom) === JSON.stringify(nullOrAbsent(its.of)) ? its.of : null;
}

/** The name of an element of a list in conditions that are about each element. */
export function anyElement(list: string): string {
  return `${list}[*]`;
}

/** A text of parts: constants, and symbols by name; numbers and JSON values are written as JavaScript does. */
export type TextPart =
  | string
  | { readonly text: string }
  | { readonly number: LinearTerm }
  | { readonly json: string }
  | { readonly each: EachText }
  /** A text as JSON.stringify writes it, and a JSON value. */
  | { readonly quoted: readonly TextPart[] }
  | { readonly stringified: string }
  /** A text of which nothing is known: nothing may be asked about it, for this reason. */
  | { readonly unknown: string };

/** Whether nothing is known about a part of a text. */
export function hasUnknown(parts: readonly TextPart[]): boolean {
  return unknownIn(parts) !== null;
}

/** Why nothing is known about a part of a text; null if something is known about each. */
export function unknownIn(parts: readonly TextPart[]): string | null {
  for (const part of parts) {
    if (typeof part === "string") continue;
    if ("unknown" in part) return part.unknown;
    const within = "quoted" in part ? [part.quoted] : "each" in part ? part.each.parts.flatMap(textsOf) : [];
    for (const text of within) {
      const why = unknownIn(text);
      if (why !== null) return why;
    }
  }
  return null;
}

function textsOf(part: EachPart): readonly (readonly TextPart[])[] {
  return "list" in part ? part.cases.map(({ text }) => text) : [part.text];
}

/** The texts of all elements of some parts with a separator between them. */
export interface EachText {
  readonly separator: string;
  readonly parts: readonly EachPart[];
}

/** The texts of those elements of a list that are in one of the cases; or one text if one of the cases holds. */
export type EachPart =
  | {
      readonly list: string;
      readonly cases: readonly { readonly where: ElementCase; readonly text: readonly TextPart[] }[];
    }
  | { readonly where: readonly ElementCase[]; readonly text: readonly TextPart[] };

/**
 * What the explorer reports about an element after which a loop goes on: a number of a case, a value, or that it is
 * absent. Null if there is nothing to report.
 */
export type ElementValue =
  | boolean
  | null
  | number
  | "absent"
  | { readonly text: readonly TextPart[] }
  | { readonly constant: null | boolean }
  | { readonly changed: readonly VariableChange[] }
  /** Why a callback of `reduce` is not decided. */
  | { readonly undecided: string };

/** What the pass of a loop for an element does to a variable: null for nothing. */
export type VariableChange =
  | null
  | { readonly constant: null | boolean | number | string }
  /** A sum or an extreme of its value before and numbers; see arithmetic/fold.ts. */
  | { readonly expression: Expression; readonly fold: FoldText };

/** A fold, of which bigints are decimal. */
export type FoldText = { readonly never: { readonly decreases: boolean; readonly isFraction: boolean } } & (
  | { readonly by: "sum"; readonly terms: number; readonly size: string }
  | { readonly by: "extreme"; readonly least: string; readonly most: string; readonly isInteger: boolean }
);

/** The enforced verdict of all attachments. `by` is the attachment that denies; null for none and for the default. */
export interface DecisionEnd {
  readonly kind: "decision";
  readonly verdict: number | LinearTerm;
  readonly reason: readonly TextPart[] | null;
  readonly by: string | null;
  readonly fault: { readonly code: string; readonly what: string } | null;
  readonly place: number;
}

/** How a path ends. */
export type PathEnd =
  | {
      readonly kind: "verdict";
      /** 0 or a negative errno, or a term that is one. */
      readonly verdict: number | LinearTerm;
      readonly reason: readonly TextPart[] | null;
      readonly place: number;
    }
  | { readonly kind: "fault"; readonly code: string; readonly what: string; readonly place: number }
  | DecisionEnd
  /**
   * A comparison of two configurations. `isSame`: whether their verdicts are the same, also if their decisions are not
   * known, since only what differs in them was asked.
   */
  | {
      readonly kind: "comparison";
      readonly decisions: { readonly old: DecisionEnd; readonly new: DecisionEnd } | null;
      readonly isSame: boolean;
      readonly place: number;
    }
  /** A property of a decision; `holds` is null if it has no answer, for which `why` is the reason. */
  | { readonly kind: "property"; readonly holds: boolean | null; readonly why: string | null; readonly place: number }
  | { readonly kind: "not decided"; readonly why: string; readonly place: number };

/** What a symbol can be, for the host. */
export type SymbolDomain =
  | { readonly kind: "flag" | "null" | "exists" | "list" | "integer or text" }
  /** Without a domain any value, of which a number is any finite number. */
  | { readonly kind: "json"; readonly domain?: JsonDomain }
  | {
      readonly kind: "text";
      readonly names: string | null;
      readonly hex: number | null;
      /** How it is found in another text, which the beginning of its name is; absent for a text by itself. */
      readonly step?: TextStep;
    }
  /** Integers; `most` and `least` are decimal. With a step, multiples of it. */
  | {
      readonly kind: "integer";
      readonly least: string;
      readonly most: string;
      readonly step?: string;
      /** How it is found in a text, which the beginning of its name is; absent for lengths and for numbers of facts. */
      readonly measure?: TextMeasure;
    }
  /** Finite numbers between two integers. */
  | { readonly kind: "number"; readonly least: string; readonly most: string };

/**
 * What `reduce`, or a loop, gives for a list: for each element in order, the expression of the case in which it is,
 * with the name of any element in it. `accumulator` is the name of its value for the elements before, which for the
 * first one is `initial`. An element in no case leaves that value as it is.
 */
export interface FoldedOrigin {
  readonly kind: "folded";
  readonly list: string;
  readonly initial: number;
  readonly accumulator: string;
  readonly cases: readonly { readonly where: ElementCase; readonly expression: Expression }[];
}

/** How the value of a symbol is found. */
export type Origin =
  | { readonly kind: "fact" }
  | { readonly kind: "lookup"; readonly map: string; readonly key: readonly TextPart[] }
  | { readonly kind: "verify_program" | "statement_of" | "signer_of_program"; readonly keyring: string }
  | {
      readonly kind: "verify_signature" | "signer_of";
      readonly keyring: string;
      readonly type: string;
      readonly data: string;
      readonly signature: string | null;
    }
  | { readonly kind: "hash"; readonly algorithm: string; readonly data: string }
  /** The first element of a list that is in one of the cases. */
  | { readonly kind: "element"; readonly list: string; readonly where: readonly ElementCase[] }
  /** The number of elements of a list that are in one of the cases. */
  | { readonly kind: "count"; readonly list: string; readonly where: readonly ElementCase[] }
  /** How many of some values an array has: each has cases, one of which holds if the value is there. */
  | { readonly kind: "there"; readonly values: readonly (readonly ElementCase[])[] }
  /** What a policy computes with other numbers. */
  | { readonly kind: "computed"; readonly expression: Expression }
  | FoldedOrigin
  /** The verdict of a write to a map: of the first, the second, and so on. */
  | { readonly kind: "write"; readonly number: number };

/** What a loop over a list that is not known does, which is the same for all elements that are in the same case. */
export interface LoopCases {
  /** The name of the first element that leaves the loop. */
  readonly first: string;
  /** The cases of elements that leave the loop, or about which nothing is decided. */
  readonly stops: readonly ElementCase[];
  /** The cases of elements after which the loop goes on, with what the explorer reported about them. */
  readonly passes: readonly { readonly where: ElementCase; readonly value: ElementValue }[];
}

/** What the explorer asks; several at once, of which the last one is answered. */
export type Request =
  | { readonly ask: "begin" }
  /** The conditions that the path begins with, each as the JSON of its atom, and their values. */
  | { readonly ask: "known" }
  | { readonly ask: "symbol"; readonly name: string; readonly domain: SymbolDomain }
  | { readonly ask: "origin"; readonly name: string; readonly origin: Origin }
  /**
   * A loop over a list, by its number on the path. The answer is its cases, or `"learn"`: then the loop is executed for
   * any element, and the run ends with `passed`, or else the element leaves the loop.
   */
  | { readonly ask: "loop"; readonly number: number; readonly list: string }
  /**
   * The same for the values that an array may have, by their number: the answer has the cases of each, or is the number
   * of a value for which the loop is executed.
   */
  | { readonly ask: "items"; readonly number: number; readonly items: number }
  /** The name of the number of values that are in an array. */
  | { readonly ask: "there"; readonly values: readonly (readonly ElementCase[])[] }
  | { readonly ask: "passed"; readonly value: ElementValue }
  /** The name of the first element in some cases, or of the number of such elements. */
  | { readonly ask: "first" | "count"; readonly list: string; readonly where: readonly ElementCase[] }
  /** The name of what a loop adds up for some elements of a list. */
  | { readonly ask: "total"; readonly origin: FoldedOrigin }
  /** `otherwise`: how the path ends if the condition is false, without another run; absent if that is not known. */
  | { readonly ask: "test"; readonly atom: Atom; readonly place: number; readonly otherwise?: PathEnd }
  | { readonly ask: "end"; readonly end: PathEnd };

/** The answers to `test` as numbers. */
export const TEST_ANSWERS = { true: 1, false: 0, none: -1 } as const;
