import type { Atom, JsonType, SymbolDomain, TextPart } from "../shared/atom.js";
import { TEXT_RELATIONS } from "../shared/text-relation.js";
import { measureOf } from "../shared/text-step.js";
import { numberText } from "../shared/value-text.js";
import type { Condition } from "./condition.js";
import { compares } from "./constraints.js";
import { type MeasureOf, sumOf } from "./text-parts.js";

type TextsAtom = Extract<Atom, { kind: "texts" }>;

/** A part of a text: a constant, a text that is not known, or the text that was chosen for something else. */
export type SolvedPart = string | { readonly text: string } | { readonly chosen: string };

/** A relation between texts, which must hold, or must not. */
export interface SolvedRelation {
  readonly relation: TextsAtom["relation"];
  readonly left: readonly SolvedPart[];
  readonly right: readonly SolvedPart[];
  readonly is: boolean;
  /** Whether nothing was chosen for it, so that no other choice could satisfy it. */
  readonly isExact: boolean;
}

/** A linear condition on numbers of which some are found in texts. */
export interface SolvedSum {
  /** The numbers that are found in texts. */
  readonly measures: readonly MeasureOf[];
  /** Whether it is true for texts, and for the numbers that were chosen for the others. */
  readonly holds: (textOf: (name: string) => string | undefined) => boolean;
}

/** The names of texts in a relation. */
export function textsIn({ left, right }: SolvedRelation): readonly string[] {
  return [...left, ...right].flatMap((part) => (typeof part !== "string" && "text" in part ? [part.text] : []));
}

/** Conditions on several numbers of which some are found in texts. */
export function sumsIn(
  conditions: readonly Condition[],
  measureIn: (name: string) => MeasureOf | null,
  numbers: ReadonlyMap<string, number>,
): readonly SolvedSum[] {
  return conditions.flatMap(({ atom, is }): SolvedSum[] => {
    if (atom.kind !== "number" || atom.term.of.length < 2) return [];
    const measures = atom.term.of.flatMap(([, name]) => measureIn(name) ?? []);
    if (measures.length === 0) return [];
    const holds: SolvedSum["holds"] = (textOf) => {
      const sum = sumOf(atom.term, (name) => {
        const found = measureIn(name);
        if (found === null) return BigInt(Math.trunc(numbers.get(name) ?? 0));
        const text = textOf(found.of);
        return text === undefined ? null : BigInt(measureOf(text, found.measure));
      });
      return sum !== null && compares(sum, atom.is) === is;
    };
    return [{ measures, holds }];
  });
}

/** Numbers and types that were chosen: numbers of symbols, and the type of each JSON value in a relation. */
export interface Chosen {
  readonly numbers: Map<string, number>;
  readonly types: Map<string, readonly JsonType[]>;
}

/** The types of JSON values whose texts are known, or can be any, the best one first. */
const WRITTEN_TYPES = ["string", "array", "object", "number", "true", "false", "null"] as const;

/**
 * The relations between texts in conditions. JSON values get one type, and numbers one value, of those that are
 * possible, so that a failure to satisfy the result refutes something only if all relations are exact. Null if a
 * relation has a part that is not solved.
 */
export function relationsIn(
  conditions: readonly Condition[],
  domainOf: (name: string) => SymbolDomain | undefined,
  chosen: Chosen,
  isMeasured: (name: string) => boolean,
): readonly SolvedRelation[] | null {
  let isSolved = true;
  const solved = (part: TextPart): SolvedPart => {
    if (typeof part === "string" || "text" in part) return part;
    if ("json" in part) return json(part.json);
    if ("number" in part && part.number.of.every(([, name]) => !isMeasured(name)))
      return { chosen: number(part.number.constant, part.number.of) };
    isSolved = false;
    return { chosen: "" };
  };
  const number = (constant: string, of: readonly (readonly [string, string])[]) => {
    for (const [, name] of of) if (!chosen.numbers.has(name)) chosen.numbers.set(name, simplest(domainOf(name)));
    const sum = of.reduce((at, [by, name]) => at + BigInt(by) * wholeOf(name), BigInt(constant));
    const [only] = of;
    // The number of a JSON value is alone, and can be a fraction
    return of.length === 1 && constant === "0" && only![0] === "1"
      ? numberText(chosen.numbers.get(only![1])!)
      : String(sum);
  };
  const wholeOf = (name: string) => BigInt(Math.trunc(chosen.numbers.get(name)!));
  const json = (name: string): SolvedPart => {
    const possible = chosen.types.get(name) ?? WRITTEN_TYPES;
    const type = WRITTEN_TYPES.find((one) => possible.includes(one)) ?? "string";
    chosen.types.set(name, [type]);
    // An array of one text is written as that text
    if (type === "string" || type === "array") return { text: name };
    if (type === "number") return { chosen: number("0", [["1", name]]) };
    return { chosen: type === "object" ? "[object Object]" : type };
  };
  const relations = conditions.flatMap(({ atom, is }): SolvedRelation[] => {
    if (atom.kind !== "texts") return [];
    const { relation, left, right } = atom;
    const isExact = [...left, ...right].every((part) => typeof part === "string" || "text" in part);
    return [{ relation, left: left.map(solved), right: right.map(solved), is, isExact }];
  });
  return isSolved ? relations : null;
}

function simplest(domain: SymbolDomain | undefined): number {
  const bounds = domain?.kind === "json" ? domain.domain : domain;
  if (bounds === undefined || !("least" in bounds)) return 0;
  const [least, most] = [Number(bounds.least ?? -Infinity), Number(bounds.most ?? Infinity)];
  return Math.min(Math.max(0, least), most);
}

/** The text of parts; null if a symbol of it has none yet. */
function solvedText(
  parts: readonly SolvedPart[],
  textOf: (name: string) => string | undefined,
  own: string | null = null,
): string | null {
  let text = "";
  for (const part of parts) {
    const its = typeof part === "string" ? part : "chosen" in part ? part.chosen : textOf(part.text);
    if (its === undefined || (typeof part !== "string" && "text" in part && part.text === own)) return null;
    text += its;
  }
  return text;
}

/** Whether a relation is as it must be; null if a text of it is not known yet. */
export function isAsRequired(one: SolvedRelation, textOf: (name: string) => string | undefined): boolean | null {
  const [left, right] = [solvedText(one.left, textOf), solvedText(one.right, textOf)];
  return left === null || right === null ? null : TEXT_RELATIONS[one.relation](left, right) === one.is;
}

/** Conditions on single texts that follow from relations that hold. */
export function consequences({ relation, left, right, is }: SolvedRelation): readonly Condition[] {
  const found: Condition[] = [];
  const about = (its: readonly SolvedPart[], other: readonly SolvedPart[]) => {
    const [only] = its;
    if (its.length !== 1 || typeof only === "string" || !("text" in only!)) return;
    const add = (kind: "starts" | "ends" | "includes", text: SolvedPart | undefined) => {
      if (typeof text === "string") found.push({ atom: { kind, of: only.text, text }, is: true });
    };
    if (relation === "equal" || relation === "starts") add("starts", other[0]);
    if (relation === "equal" || relation === "ends") add("ends", other.at(-1));
    for (const part of other) add("includes", part);
  };
  if (!is) return found;
  about(left, right);
  if (relation === "equal") about(right, left);
  return found;
}

/**
 * Texts for a symbol with which relations hold, if the others in them are known; they may break other conditions. None
 * if no relation says anything yet. `fillings` are texts that satisfy the other conditions.
 */
export function proposals(
  name: string,
  relations: readonly SolvedRelation[],
  textOf: (name: string) => string | undefined,
  fillings: readonly string[],
): readonly Iterable<string>[] {
  return relations.flatMap(({ relation, left, right, is }) => {
    if (!is) return [];
    return [true, false].flatMap((isLeft): Iterable<string>[] => {
      const [own, others] = isLeft ? [left, right] : [right, left];
      const at = own.findIndex((part) => typeof part !== "string" && "text" in part && part.text === name);
      const other = solvedText(others, textOf, name);
      if (at === -1 || other === null) return [];
      const [before, after] = [own.slice(0, at), own.slice(at + 1)].map((its) => solvedText(its, textOf, name)) as [
        string | null,
        string | null,
      ];
      // Others in the same text are chosen after it
      if (before === null && after === null) return [partsWithin("includes", other)];
      if (after === null) return [between(before!, [other], "", "starts")];
      if (before === null) return [between("", [other], after, "ends")];
      const wholes = isLeft ? wholesAround(relation, other, [...FILLINGS, ...fillings]) : partsWithin(relation, other);
      return [between(before, wholes, after)];
    });
  });
}

/** What stands between two texts in others, or parts of that. */
function* between(
  before: string,
  wholes: Iterable<string>,
  after: string,
  parts: SolvedRelation["relation"] = "equal",
): Generator<string> {
  for (const whole of wholes)
    if (whole.startsWith(before) && whole.endsWith(after) && whole.length >= before.length + after.length)
      yield* partsWithin(parts, whole.slice(before.length, whole.length - after.length));
}

const FILLINGS = ["x", "", "x1", "x2", "x3", "/", "a", "0"];

/** Texts that have a relation to a part. */
function wholesAround(
  relation: SolvedRelation["relation"],
  part: string,
  fillings: readonly string[],
): readonly string[] {
  switch (relation) {
    case "equal":
      return [part];
    case "starts":
      return fillings.map((filling) => part + filling);
    case "ends":
      return fillings.map((filling) => filling + part);
    case "includes":
      return fillings.flatMap((filling) => [filling + part, part + filling, `${filling}${part}${filling}`]);
  }
}

const MOST_PARTS = 200;

/** Texts to which a whole has a relation, the longest first. */
function* partsWithin(relation: SolvedRelation["relation"], whole: string): Generator<string> {
  yield whole;
  if (relation === "equal") return;
  for (let length = Math.min(whole.length - 1, MOST_PARTS); length >= 0; length--) {
    if (relation !== "ends") yield whole.slice(0, length);
    if (relation !== "starts") yield whole.slice(whole.length - length);
  }
}
