import type { MapConfig } from "../../config/config.js";
import { readMapFile } from "../../config/mapfile.js";
import type { PolicyMap } from "../../policy/maps/map.js";
import type { FileSnapshot } from "../load/file-cache.js";

/**
 * Gives each map the contents that are given by its name, or else those of its file, whose text is among `texts`. A map
 * that has them already is left alone.
 */
export function resetMaps(
  configured: readonly MapConfig[],
  texts: FileSnapshot,
  maps: ReadonlyMap<string, PolicyMap>,
  contents: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): void {
  for (const { name, file } of configured) {
    const map = maps.get(name)!;
    const given = Object.hasOwn(contents, name) ? contents[name]! : null;
    if (given === null && map.isInitial) continue;
    map.reset(given ?? (file === null ? {} : readMapFile(file, texts.get(file))), given === null);
  }
}
