import { extname } from "node:path";
import { CountersignError } from "../error.js";
import { readText } from "../input.js";
import { Document } from "./document.js";

/** The largest file of a map. */
const MAX_MAP = 32 * 2 ** 20;
/** How deep lists and mappings may stand in each other. */
const MAX_DEPTH = 64;

/**
 * A map's entries from a file: a JSON or YAML mapping of string keys to JSON values. Throws FILE_UNREADABLE,
 * FILE_TOO_LARGE, and MAP_INVALID with the place in the file.
 */
export function readMapFile(file: string): Record<string, unknown> {
  const text = readText(file, MAX_MAP);
  const value = extname(file) === ".json" ? fromJson(file, text) : new Document(file, text, "MAP_INVALID").value;
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalid(file, "is no mapping of keys to values", "write it as `key: value` lines, or as one JSON object");
  for (const [key, entry] of Object.entries(value))
    if (!isJson(entry))
      throw invalid(
        file,
        `the value of \`${key}\` is no JSON value, or deeper than ${MAX_DEPTH}`,
        "write text, numbers, lists or mappings",
      );
  return value as Record<string, unknown>;
}

function fromJson(file: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const at = Number(/position (\d+)/.exec((cause as Error).message)?.[1] ?? Number.NaN);
    throw invalid(Number.isNaN(at) ? file : placeAt(file, text, at), "is not JSON", "mend it there");
  }
  const twice = duplicate(text);
  if (twice !== null)
    throw invalid(placeAt(file, text, twice.offset), `the key ${twice.key} stands twice`, "keep one of them");
  return value;
}

/** JSON.parse keeps the last of two equal keys without a word. The text is valid JSON here, so its strings are enough. */
function duplicate(text: string): { key: string; offset: number } | null {
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(?=\s*(:)?)|[{}[\]]/g;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [written, colon] = match;
    if (written === "{") open.push(new Set());
    else if (written === "[") open.push(null);
    else if (written === "}" || written === "]") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(written) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return { key: written, offset: match.index };
      keys?.add(key);
    }
  }
  return null;
}

/** YAML knows values that JSON does not: infinities, dates, sets. Depth is bounded, since guests parse these values. */
function isJson(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || depth === MAX_DEPTH) return false;
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  return plain && Object.values(value).every((item) => isJson(item, depth + 1));
}

function placeAt(file: string, text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `${file}:${before.length}:${(before.at(-1) ?? "").length + 1}`;
}

function invalid(place: string, message: string, remedy: string): CountersignError {
  return new CountersignError("MAP_INVALID", message, { place, remedy });
}
