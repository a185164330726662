import { JSON_TYPES, type JsonType, nullOrAbsent, type TextPart } from "../shared/atom.js";
import { entryOfObject, type JsonEntry, jsonDomain } from "../shared/json-domain.js";
import { canHaveKey, knownMap } from "../shared/known-maps.js";
import { lookupName } from "../shared/lookup-name.js";
import { configuredNames } from "./configured-names.js";
import { symbol } from "./facts.js";
import { declareJson, schemasOf } from "./json-symbols.js";
import {
  beginning,
  declare,
  knownValue,
  notDecided,
  originate,
  restrict,
  setKnownValue,
  test,
  testType,
} from "./path.js";
import { testTexts } from "./text-tests.js";

type Key = readonly TextPart[];

/** The value of a property of a JSON object; undefined on the path on which it has none. */
export function jsonProperty(name: string, key: string): unknown {
  return jsonEntry(`${name}[${JSON.stringify(key)}]`, entryOfObject(schemasOf(name), key));
}

/** A JSON value that a map or an object may have under a key; undefined on the path on which it has not. */
function jsonEntry(name: string, { presence, schemas }: JsonEntry): unknown {
  if (presence === "never") return undefined;
  if (presence === "maybe") {
    declare(`${name}!`, { kind: "exists" });
    if (!test({ kind: "exists", of: `${name}!` })) return undefined;
  }
  declareJson(name, schemas);
  return symbol(name, { k: "json", name });
}

/** Whether a map has null or no value under a key, which is one condition if neither is known. */
function isNullOrAbsent(name: string, { schemas }: JsonEntry): boolean {
  const exists = { kind: "exists", of: `${name}!` } as const;
  const isThere = knownValue(exists);
  if (isThere !== undefined) return !isThere || testType(name, ["null"]);
  declare(exists.of, { kind: "exists" });
  declareJson(name, schemas);
  if (!jsonDomain(schemas).types.includes("null")) return !test(exists);
  if (test(nullOrAbsent(name))) return true;
  setKnownValue(exists, true);
  restrict(name, NOT_NULL);
  return false;
}

const NOT_NULL: readonly JsonType[] = JSON_TYPES.filter((type) => type !== "null");

/** The keys that were looked up in each map, with the names of their values. */
const looked = new Map<string, { readonly name: string; readonly key: Key }[]>();

/** Maps that the policy has written to on this path. */
export const writtenMaps = new Set<string>();

/** The value of a key in a map. */
export function lookUp(map: string, key: Key): unknown {
  const { contents } = knownMap(configuredNames().known, map);
  if (contents !== undefined) return constantEntry(contents.entries, key);
  const entry = entryOfMap(map, key);
  return entry.presence === "never" ? undefined : jsonEntry(entryName(map, key), entry);
}

/** `map_lookup(map, key) ?? otherwise()`: null and absent are one condition. */
export function lookUpOr(map: string, key: Key, otherwise: () => unknown): unknown {
  if (knownMap(configuredNames().known, map).contents !== undefined) return lookUp(map, key) ?? otherwise();
  const entry = entryOfMap(map, key);
  if (entry.presence === "never") return otherwise();
  const name = entryName(map, key);
  return isNullOrAbsent(name, entry) ? otherwise() : jsonEntry(name, entry);
}

/** An entry of a map whose contents are known, of which each look-up makes a value of its own. */
function constantEntry(entries: Readonly<Record<string, unknown>>, key: Key): unknown {
  for (const [one, value] of Object.entries(entries))
    if (testTexts("equal", key, one === "" ? [] : [one])) return parse(stringify(value));
  return undefined;
}

const { parse, stringify } = JSON;

/** What is known of the value of a key in a map on this path. */
function entryOfMap(map: string, key: Key): JsonEntry {
  if (writtenMaps.has(map)) return notDecided("a look-up in a map after a write to it");
  const { values, keys } = knownMap(beginning.known, map);
  const schemas = values === undefined ? [] : [values];
  const [part = "", ...others] = key;
  const isConstant = typeof part === "string" && others.length === 0;
  const isPossible = !isConstant || canHaveKey({ keys }, part);
  return { presence: isPossible && jsonDomain(schemas).types.length > 0 ? "maybe" : "never", schemas };
}

/** The name of the value of a key in a map: that of an earlier look-up if the keys are equal on this path. */
function entryName(map: string, key: Key): string {
  const name = lookupName(map, key) ?? notDecided("a key with a value of a map, or with a list");
  const before = looked.get(map) ?? [];
  const known = before.find((one) => one.name === name) ?? before.find((one) => testTexts("equal", one.key, key));
  if (known !== undefined) return known.name;
  looked.set(map, [...before, { name, key }]);
  originate(name, { kind: "lookup", map, key });
  return name;
}
