import type { MapConfig } from "../../config/config.js";
import { readMapFile, schemaError } from "../../config/mapfile.js";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import type { PolicyMap } from "../../policy/maps/map.js";
import type { FileSnapshot } from "../load/file-cache.js";

type Contents = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Throws CONFIG_INVALID for contents of a map that is not configured, and MAP_INVALID if they break its schema. */
export function requireContents(
  configured: readonly MapConfig[],
  maps: ReadonlyMap<string, PolicyMap>,
  contents: Contents,
): void {
  const known = configured.map(({ name }) => name);
  const unknown = Object.keys(contents).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new CountersignError(
      "CONFIG_INVALID",
      `gives contents to the map \`${unknown}\`, which is not configured${didYouMean(unknown, known)}`,
      { remedy: "add it under `maps` of the configuration, or correct its name" },
    );
  for (const { name } of configured) {
    const found = Object.hasOwn(contents, name) ? (maps.get(name)?.schema?.firstBreach(contents[name]!) ?? null) : null;
    if (found !== null) throw schemaError(found, `map \`${name}\``);
  }
}

/**
 * Gives each map the contents that are given by its name, or else those of its file, whose text is among `texts`. A map
 * that has them already is left alone. Throws MAP_INVALID if given contents break the schema of their map; then no map
 * is changed.
 */
export function resetMaps(
  configured: readonly MapConfig[],
  texts: FileSnapshot,
  maps: ReadonlyMap<string, PolicyMap>,
  contents: Contents,
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
