import type { MapSchemaRules } from "../../policy/maps/map-schema.js";

/** What is known of a map in all decisions: a schema that its entries satisfy, or all of its entries. */
export interface KnownMap extends MapSchemaRules {
  readonly contents?: KnownContents;
}

/** The entries of a map that no policy can write to. */
export interface KnownContents {
  /** SHA-256 of the map's file in lower-case hex. */
  readonly sha256: string;
  readonly entries: Readonly<Record<string, unknown>>;
}

/** What is known of maps, by their names. Of another map any entries are possible. */
export type KnownMaps = Readonly<Record<string, KnownMap>>;

/** What is known of a map; nothing if it has no row. */
export function knownMap(known: KnownMaps, map: string): KnownMap {
  return Object.hasOwn(known, map) ? known[map]! : {};
}

/** Whether the contents of a map are known. */
export function hasContents(known: KnownMaps): boolean {
  return Object.values(known).some(({ contents }) => contents !== undefined);
}

/** Whether a map with these keys can have a key that is constant. */
export function canHaveKey({ keys }: KnownMap, key: string): boolean {
  if (keys === undefined) return true;
  return "enum" in keys ? keys.enum.includes(key) : key.length === 2 * keys.hex && /^[0-9a-f]*$/.test(key);
}
