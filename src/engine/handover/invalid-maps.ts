import type { MapConfig } from "../../config/config.js";
import { schemaError } from "../../config/mapfile.js";
import { CountersignError } from "../../error.js";
import type { MapWrite } from "../../policy/maps/map.js";
import { MapSchema } from "../../policy/maps/map-schema.js";

/** An error MAP_INVALID for each map of which a write of an earlier engine breaks the schema, by the map's name. */
export function invalidMaps(
  maps: readonly MapConfig[],
  writes: readonly MapWrite[],
): ReadonlyMap<string, CountersignError> {
  const errors = new Map<string, CountersignError>();
  for (const { name, place, schema, onInvalid } of maps) {
    const checked = schema === undefined ? null : new MapSchema(schema);
    for (const { map, key, value } of checked === null ? [] : writes) {
      if (map !== name || value === null || errors.has(name)) continue;
      const found = checked!.breach(key, JSON.parse(value));
      if (found === null) continue;
      const follows = onInvalid === "stop" ? "" : ", so the map begins with its initial entries";
      const its = `map \`${name}\` keeps entries that break its schema`;
      const remedy =
        onInvalid === "stop"
          ? "let the schema accept it, or remove `on_invalid` to give up the entries"
          : "write `on_invalid: stop` if an agent should not start without them";
      errors.set(
        name,
        new CountersignError("MAP_INVALID", `${its}${follows}: ${schemaError(found, "").message}`, { place, remedy }),
      );
    }
  }
  return errors;
}
