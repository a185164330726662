import { measureName, stepName, type TextMeasure, type TextStep } from "../shared/text-step.js";
import { integer, symbol, view } from "./facts.js";
import { birth, write } from "./loops.js";
import { declare, notDecided, test } from "./path.js";
import { Sym, type Term, termOf } from "./term.js";

/** The most units from an end of a text that are told apart. */
const MOST = 1_000;
/** The longest text in the engine. */
const MOST_LENGTH = 2n ** 30n;

/** Methods of a text that is not known which give a part of it, or where a unit is in it. */
const METHODS: Readonly<Record<string, (name: string, given: readonly unknown[]) => unknown>> = {
  trim: (name, given) => trimmed(name, "trim", given),
  trimStart: (name, given) => trimmed(name, "trimStart", given),
  trimEnd: (name, given) => trimmed(name, "trimEnd", given),
  toLowerCase: (name) => part(name, { step: "toLowerCase" }),
  toUpperCase: (name) => part(name, { step: "toUpperCase" }),
  slice: (name, [from, to]) => sliced(name, from, to, false),
  substring: (name, [from, to]) => sliced(name, from, to, true),
  charAt: (name, [at]) => {
    const its = integerOf(at ?? 0);
    return its < 0 ? "" : part(name, { step: "slice", from: its, to: its + 1 });
  },
  indexOf: (name, given) => placeOf(name, "indexOf", given),
  lastIndexOf: (name, given) => placeOf(name, "lastIndexOf", given),
  at: (name, [at]) => unitAt(name, integerOf(at ?? 0)),
  split: (name, given) => new Sym({ k: "split", name, unit: unitOf(given), born: birth() }),
  toString: (name: string) => new Sym({ k: "text", name }),
};

export function isTextMethod(key: string): boolean {
  return Object.hasOwn(METHODS, key);
}

export function textMethod(name: string, key: string, given: readonly unknown[]): unknown {
  if (!Object.hasOwn(METHODS, key)) return notDecided(`\`${key}\` of a text that is not known`);
  return METHODS[key]!(name, given);
}

/** The text by a step. */
function part(name: string, step: TextStep): Sym {
  const its = stepName(name, step);
  declare(its, { kind: "text", names: null, hex: null, step });
  return symbol(its, { k: "text", name: its });
}

function trimmed(name: string, step: "trim" | "trimStart" | "trimEnd", given: readonly unknown[]): Sym {
  return given.length === 0 ? part(name, { step }) : notDecided(`\`${step}\` with an argument`);
}

/** `slice` and `substring` (ECMA-262, 22.1.3.22 and 22.1.3.25). */
function sliced(name: string, from: unknown, to: unknown, isSubstring: boolean): unknown {
  const [first, last] = [placeIn(name, from), placeIn(name, to)];
  if (first !== null && first.after === 1n && to === undefined)
    return part(name, { step: first.isLast ? "after last" : "after first", unit: first.unit });
  const isBefore = last !== null && last.after === 0n && first === null && from !== undefined && integerOf(from) === 0;
  if (isBefore) {
    if (test({ kind: "includes", of: name, text: last.unit }))
      return part(name, { step: last.isLast ? "before last" : "before first", unit: last.unit });
    return isSubstring ? "" : between(name, 0, -1);
  }
  const [a, b] = [integerOf(from ?? 0), to === undefined ? null : integerOf(to)];
  if (!isSubstring) return between(name, a, b);
  const [start, end] = [Math.max(a, 0), b === null ? null : Math.max(b, 0)];
  return end === null ? between(name, start, null) : between(name, Math.min(start, end), Math.max(start, end));
}

function between(name: string, from: number, to: number | null): string | Sym {
  if (from >= 0 && to !== null && to >= 0) return to <= from ? "" : part(name, { step: "slice", from, to });
  if (from < 0 && to !== null && to >= 0)
    return to === 0 ? "" : notDecided("`slice` between a place from the end and one from the beginning");
  if (from < 0 && to !== null && to <= from) return "";
  let its = name;
  if (from < 0) its = declaredPart(its, { step: "last", count: -from });
  else if (from > 0) its = declaredPart(its, { step: "slice", from, to: null });
  if (to !== null) its = declaredPart(its, { step: "without last", count: -to });
  return new Sym({ k: "text", name: its });
}

function declaredPart(name: string, step: TextStep): string {
  part(name, step);
  return stepName(name, step);
}

/** An integer of the policy that is small enough. */
function integerOf(value: unknown): number {
  const its = view(value);
  if (typeof its !== "number" || !Number.isInteger(its) || Math.abs(its) > MOST)
    return notDecided("a place in a text that is not a small constant integer");
  return its;
}

/** Where the first or last unit of a kind is in a text, and how far after it. */
interface Place {
  readonly of: string;
  readonly unit: string;
  readonly isLast: boolean;
}

const places = new Map<string, Place>();

function placeOf(of: string, measure: "indexOf" | "lastIndexOf", given: readonly unknown[]): Sym {
  const its = { measure, unit: unitOf(given) } as const;
  places.set(measureName(of, its), { of, unit: its.unit, isLast: measure === "lastIndexOf" });
  return measured(of, its, -1n, 0n);
}

/** A number that is found in a text, with a constant added. */
function measured(of: string, its: TextMeasure, least: bigint, constant: bigint): Sym {
  const name = measureName(of, its);
  const most = MOST_LENGTH;
  declare(name, { kind: "integer", least: String(least), most: String(most), measure: its });
  const term: Term = { k: "integer", constant, of: new Map([[name, { coefficient: 1n, least, most }]]) };
  return constant === 0n ? symbol(name, term) : new Sym(term);
}

function unitOf([text, ...more]: readonly unknown[]): string {
  const its = view(text);
  return typeof its === "string" && its.length === 1 && more.length === 0
    ? its
    : notDecided("a search for something else than one constant character");
}

/** A number that is a place in a text with a constant added. */
function placeIn(name: string, value: unknown): (Place & { readonly after: bigint }) | null {
  const term: Term | null = termOf(value);
  if (term?.k !== "integer" || term.of.size !== 1) return null;
  for (const [its, { coefficient }] of term.of) {
    const place = places.get(its);
    if (place?.of === name && coefficient === 1n) return { ...place, after: term.constant };
  }
  return null;
}

/** The length of a text. It has the bound of a list's length, since a value of a map can be either under one name. */
export function lengthOf(name: string): Sym {
  return integer(`${name}.length`, 0n, 0xffff_ffffn);
}

/** The unit at a place, from the end if that is negative; undefined if there is none. */
export function unitAt(name: string, at: number): unknown {
  lengthOf(name);
  const least = at < 0 ? -at : at + 1;
  const term = { constant: String(least), of: [["-1", `${name}.length`]] } as const;
  if (!test({ kind: "number", term, is: "<= 0" })) return undefined;
  if (at >= 0) return part(name, { step: "slice", from: at, to: at + 1 });
  const end = declaredPart(name, { step: "last", count: -at });
  return at === -1 ? new Sym({ k: "text", name: end }) : part(end, { step: "slice", from: 0, to: 1 });
}

/** Parts of texts between separators of which the last one was removed. */
const shortened = new WeakSet<object>();

/** The most parts of a text that are told apart. */
const MOST_PARTS = 20;

/** A property of the parts of a text: their number, or one of them, which is there if the units before it are. */
export function splitMember(value: object, { name, unit }: Extract<Term, { k: "split" }>, key: string): unknown {
  if (shortened.has(value)) return notDecided("the parts of a text after `pop`");
  if (key === "length") return measured(name, { measure: "count", unit }, 0n, 1n);
  const index = Number(key);
  if (String(index) !== key || !Number.isInteger(index) || index < 0 || index > MOST_PARTS)
    return notDecided(`\`${key}\` of the parts of a text`);
  let rest = name;
  for (let before = 0; before < index; before++) {
    if (!test({ kind: "includes", of: rest, text: unit })) return undefined;
    rest = declaredPart(rest, { step: "after first", unit });
  }
  return part(rest, { step: "before first", unit });
}

/** One of the parts, by its place from the end, where the last one has the place 1. */
function splitFromEnd({ name, unit }: Extract<Term, { k: "split" }>, place: number): unknown {
  let before = name;
  for (let after = 1; after < place; after++) {
    if (!test({ kind: "includes", of: before, text: unit })) return undefined;
    before = declaredPart(before, { step: "before last", unit });
  }
  return part(before, { step: "after last", unit });
}

export function splitMethod(
  value: object,
  term: Extract<Term, { k: "split" }>,
  key: string,
  [at, ...more]: readonly unknown[],
): unknown {
  if (shortened.has(value)) return notDecided("the parts of a text after `pop`");
  if (key === "at" && more.length === 0) {
    const its = integerOf(at ?? 0);
    if (its >= 0) return splitMember(value, term, String(its));
    return -its <= MOST_PARTS ? splitFromEnd(term, -its) : notDecided("`at` of the parts of a text");
  }
  const isPop = key === "pop" && at === undefined;
  if (!isPop) return notDecided(`\`${key}\` of the parts of a text`);
  write(term.born, value);
  shortened.add(value);
  return part(term.name, { step: "after last", unit: term.unit });
}
