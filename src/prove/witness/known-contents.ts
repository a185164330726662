import { hash } from "node:crypto";
import type { MapConfig } from "../../config/config.js";
import { MAX_MAP, readMapFile, schemaError } from "../../config/mapfile.js";
import { readText } from "../../input.js";
import { MapSchema } from "../../policy/maps/map-schema.js";
import type { KnownMap, KnownMaps } from "../shared/known-maps.js";

/** The most keys of a map whose entries are taken as constants: a key that is not known is compared with each. */
const MOST_KEYS = 64;

/**
 * What a configuration says of its maps: their schemas and, if wanted, the contents of maps with few keys that no
 * policy can write to. Throws FILE_UNREADABLE and MAP_INVALID.
 */
export function knownMaps(maps: readonly MapConfig[], hasContents: boolean): KnownMaps {
  const all = maps.map((map) => [map.name, { ...map.schema, ...(hasContents ? contentsOf(map) : {}) }] as const);
  return Object.fromEntries(all.filter(([, its]) => Object.keys(its).length > 0));
}

function contentsOf({ file, writable, schema }: MapConfig): Pick<KnownMap, "contents"> {
  if (file === null || writable !== null) return {};
  const text = readText(file, MAX_MAP);
  const entries = readMapFile(file, text);
  const found = schema === undefined ? null : new MapSchema(schema).firstBreach(entries);
  if (found !== null) throw schemaError(found, file);
  if (Object.keys(entries).length > MOST_KEYS) return {};
  return { contents: { sha256: hash("sha256", text), entries } };
}
