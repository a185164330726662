import { extname } from "node:path";
import { duplicateKey } from "../duplicate-key.js";
import { CountersignError } from "../error.js";
import { readText } from "../input.js";
import { Document } from "./document.js";
import { quoted } from "./quoted.js";

/** Maximum size of a map file in bytes. */
export const MAX_MAP = 32 * 2 ** 20;
/** Maximum nesting depth of lists and mappings in a value. */
const MAX_DEPTH = 64;

/**
 * Reads a map's entries from a file, or from its text if that has been read already: a JSON or YAML mapping of string
 * keys to JSON values. Throws FILE_UNREADABLE, FILE_TOO_LARGE, and MAP_INVALID with the place in the file.
 */
export function readMapFile(file: string, text = readText(file, MAX_MAP)): Record<string, unknown> {
  const value = extname(file) === ".json" ? fromJson(file, text) : new Document(file, text, "MAP_INVALID").value;
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalid(file, "is not a mapping of keys to values", "write it as `key: value` lines, or as one JSON object");
  for (const [key, entry] of Object.entries(value)) {
    const flaw = flawOf(entry);
    if (flaw !== null) throw invalid(file, `the value of ${quoted(key)} ${flaw.is}`, flaw.remedy);
  }
  return value as Record<string, unknown>;
}

/** Why a value cannot be in a map, with the remedy after `; `; null if it can. */
export function mapValueFlaw(value: unknown): string | null {
  const flaw = flawOf(value);
  return flaw === null ? null : `${flaw.is}; ${flaw.remedy}`;
}

function fromJson(file: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const at = Number(/position (\d+)/.exec((cause as Error).message)?.[1] ?? Number.NaN);
    throw invalid(Number.isNaN(at) ? file : placeAt(file, text, at), "is not JSON", "correct it there");
  }
  const twice = duplicateKey(text);
  if (twice !== null)
    throw invalid(placeAt(file, text, twice.offset), `the key ${quoted(twice.key)} is given twice`, "keep one of them");
  return value;
}

interface Flaw {
  readonly is: string;
  readonly remedy: string;
}

const NO_JSON: Flaw = {
  is: `is not a JSON value, or deeper than ${MAX_DEPTH}`,
  remedy: "write text, numbers, lists or mappings",
};
const INEXACT: Flaw = {
  is: "has a whole number beyond 2^53, which a policy would not see as it is",
  remedy: "write it as text",
};

/**
 * Rejects YAML values that JSON lacks (infinities, dates, sets) and deep nesting, since each policy parses these
 * values.
 */
function flawOf(value: unknown, depth = 0): Flaw | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return NO_JSON;
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? INEXACT : null;
  }
  if (typeof value !== "object" || depth === MAX_DEPTH) return NO_JSON;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return NO_JSON;
  for (const item of Object.values(value)) {
    const flaw = flawOf(item, depth + 1);
    if (flaw !== null) return flaw;
  }
  return null;
}

function placeAt(file: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

function invalid(place: string, message: string, remedy: string): CountersignError {
  return new CountersignError("MAP_INVALID", message, { place, remedy });
}
