import { extname } from "node:path";
import { duplicateKey } from "../duplicate-key.js";
import { CountersignError } from "../error.js";
import { readText } from "../input.js";
import type { EntryBreach, MapSchema } from "../policy/maps/map-schema.js";
import { Document } from "./document.js";
import { written } from "./issue.js";
import { quoted } from "./quoted.js";
import { jsonFlaw } from "./values.js";

/** Maximum size of a map file in bytes. */
export const MAX_MAP = 32 * 2 ** 20;

/**
 * Reads a map's entries from a file, or from its text if that has been read already: a JSON or YAML mapping of string
 * keys to JSON values. Throws FILE_UNREADABLE, FILE_TOO_LARGE, and MAP_INVALID with the place in the file.
 */
export function readMapFile(file: string, text = readText(file, MAX_MAP)): Record<string, unknown> {
  const value = extname(file) === ".json" ? fromJson(file, text) : new Document(file, text, "MAP_INVALID").value;
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalid(file, "is not a mapping of keys to values", "write it as `key: value` lines, or as one JSON object");
  for (const [key, entry] of Object.entries(value)) {
    const flaw = jsonFlaw(entry);
    if (flaw !== null) throw invalid(file, `the value of ${quoted(key)} ${flaw.is}`, flaw.remedy);
  }
  return value as Record<string, unknown>;
}

/** Throws MAP_INVALID if an entry that was read from a file breaks the map's schema, with its place in the file. */
export function checkMapFile(
  schema: MapSchema,
  file: string,
  text: string,
  entries: Readonly<Record<string, unknown>>,
): void {
  const found = schema.firstBreach(entries);
  if (found !== null) throw schemaError(found, placeIn(file, text, found));
}

/** The error of an entry that breaks the schema of its map. */
export function schemaError(found: EntryBreach, place: string): CountersignError {
  const remedy = "correct it there, or the schema of the map in the configuration";
  return new CountersignError("MAP_INVALID", breachMessage(found), { place, remedy });
}

/** What breaks the schema, in words: `the value of `web` at `ports[0]` is string, where `type` is integer`. */
function breachMessage({ what, path: [key, ...rest], flaw }: EntryBreach): string {
  if (what === "key") return `the key ${quoted(key)} ${flaw}`;
  return `the value of ${quoted(key)}${rest.length === 0 ? "" : ` at ${quoted(written(rest))}`} ${flaw}`;
}

/** YAML has all of JSON, except in a few spellings, of which only the file is named. */
function placeIn(file: string, text: string, { path, what }: EntryBreach): string {
  try {
    return new Document(file, text, "MAP_INVALID").place(path, what);
  } catch {
    return file;
  }
}

/** Why a value cannot be in a map, with the remedy after `; `; null if it can. */
export function mapValueFlaw(value: unknown): string | null {
  const flaw = jsonFlaw(value);
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

function placeAt(file: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

function invalid(place: string, message: string, remedy: string): CountersignError {
  return new CountersignError("MAP_INVALID", message, { place, remedy });
}
