import type { MapSchemaRules } from "../../policy/maps/map-schema.js";

/** What is known of a map in all decisions: a schema that its entries satisfy. */
export type KnownMap = MapSchemaRules;

/** What is known of maps, by their names. Of another map any entries are possible. */
export type KnownMaps = Readonly<Record<string, KnownMap>>;

/** Whether a map with these keys can have a key that is constant. */
export function canHaveKey({ keys }: KnownMap, key: string): boolean {
  if (keys === undefined) return true;
  return "enum" in keys ? keys.enum.includes(key) : key.length === 2 * keys.hex && /^[0-9a-f]*$/.test(key);
}
