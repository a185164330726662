import type { MapConfig } from "../../config/config.js";
import { readMapFile, schemaError } from "../../config/mapfile.js";
import type { PolicyMap } from "../../policy/maps/map.js";
import type { FileSnapshot } from "../load/file-cache.js";

/**
 * Gives each map the contents that are given by its name, or else those of its file, whose text is among `texts`. A map
 * that has them already is left alone. Throws MAP_INVALID if given contents break the schema of their map; then no map
 * is changed.
 */
export function resetMaps(
  configured: readonly MapConfig[],
  texts: FileSnapshot,
  maps: ReadonlyMap<string, PolicyMap>,
  contents: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): void {
  for (const { name, place } of configured) {
    const found = Object.hasOwn(contents, name) ? (maps.get(name)?.schema?.firstBreach(contents[name]!) ?? null) : null;
    if (found !== null) throw schemaError(found, `map \`${name}\``).within(place);
  }
  for (const { name, file } of configured) {
    const map = maps.get(name)!;
    const given = Object.hasOwn(contents, name) ? contents[name]! : null;
    if (given === null && map.isInitial) continue;
    map.reset(given ?? (file === null ? {} : readMapFile(file, texts.get(file))), given === null);
  }
}
