import type { Sym, Term } from "./term.js";
import { termOf } from "./term.js";
import { settled, textParts, unknownText } from "./values.js";

/** The longest text that a method is asked to make: a longer one may not fit into the sandbox. */
const MOST_LENGTH = 1_000;

type Bounds = readonly [least: number, most: number];

/** The arguments with which a method of a number gives a text and throws no error. */
const OF_NUMBERS: ReadonlyMap<string, Bounds> = new Map<string, Bounds>([
  ["toFixed", [0, 100]],
  ["toPrecision", [1, 100]],
  ["toExponential", [0, 100]],
  ["toString", [2, 36]],
]);

/** The text that a method gives of a number; null if it may be none. Nothing may be asked about it. */
export function numberAsText(its: unknown, key: string, given: readonly unknown[]): Sym | string | null {
  const bounds = OF_NUMBERS.get(key);
  if (bounds === undefined || given.length > 1) return null;
  const [argument] = given;
  const isWithin = Number.isInteger(argument) && (argument as number) >= bounds[0] && (argument as number) <= bounds[1];
  if (argument !== undefined && !isWithin) return null;
  if (typeof its === "number") return (its as unknown as Readonly<Record<string, Shown>>)[key]!(argument);
  return unknownText(`\`${key}\` of this number`);
}

type Shown = (argument: unknown) => string;

/** Whether a method of texts gives a text, whatever the text is, and throws no error. */
const OF_TEXTS: Readonly<Record<string, (given: readonly unknown[]) => boolean>> = {
  ...{ trim: takesNone, trimStart: takesNone, trimEnd: takesNone, toLowerCase: takesNone, toUpperCase: takesNone },
  ...{ slice: takesIntegers, substring: takesIntegers, charAt: takesIntegers },
  ...{ padStart: pads, padEnd: pads },
  repeat: ([count, ...more]) => more.length === 0 && isLength(count),
  concat: (given) => given.every((one) => textParts(one).length >= 0),
  replace: replaces,
  replaceAll: replaces,
};

function takesNone(given: readonly unknown[]): boolean {
  return given.length === 0;
}

function takesIntegers(given: readonly unknown[]): boolean {
  return given.every((one) => one === undefined || Number.isInteger(one));
}

function isLength(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_LENGTH;
}

function pads([length, filler, ...more]: readonly unknown[]): boolean {
  return more.length === 0 && isLength(length) && (filler === undefined || typeof filler === "string");
}

function replaces([what, by, ...more]: readonly unknown[]): boolean {
  return more.length === 0 && typeof what === "string" && typeof by === "string";
}

/**
 * The text that a method gives of a text which is not known, or of a constant with arguments that are not known; null
 * if it may be none. Nothing may be asked about it.
 */
export function changedText(term: Term | null, key: string, given: readonly unknown[]): Sym | string | null {
  const takes = Object.hasOwn(OF_TEXTS, key) ? OF_TEXTS[key]! : null;
  if (takes === null || (term === null && key !== "concat")) return null;
  return takes(given.map((one) => (termOf(one) === null ? one : settled(one))))
    ? unknownText(`\`${key}\` of a text that is not known`)
    : null;
}
