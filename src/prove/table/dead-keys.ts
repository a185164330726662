import type { Config } from "../../config/config.js";
import { readMapFile } from "../../config/mapfile.js";
import { type LiteralMapKey, literalMapKeys } from "../../policy/linker/map-keys.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { readUnits } from "../../policy/units/units.js";
import type { PolicySource } from "../explorer/rewritten-policy.js";

/** The keys that a policy looks up, of which a map that no policy can write to has no entry. Throws MAP_INVALID. */
export function deadKeys({ file, files }: PolicySource, { maps }: Config): readonly LiteralMapKey[] {
  const entries = new Map<string, Readonly<Record<string, unknown>>>();
  for (const map of maps) if (map.writable === null && map.file !== null) entries.set(map.name, readMapFile(map.file));
  return readUnits(file, files, new LinkTime(file))
    .flatMap((unit) => literalMapKeys(unit))
    .filter(({ map, key }) => entries.has(map) && !Object.hasOwn(entries.get(map)!, key));
}
