import type { MapWrite, OwnedWrite, PolicyMap } from "../../policy/maps/map.js";
import type { MapView } from "../../policy/maps/map-view.js";
import type { Commit } from "../handover/committed-writes.js";

/**
 * Repeats map writes that attachments committed in an earlier engine, the last one to each key. A map gets all of them
 * or none: if one is no longer allowed or breaks the map's schema, or if together they exceed the map's bounds or a
 * writer's share (which only a change of the configuration can cause), the map starts with its initial entries. The
 * same applies to the overlay of an attachment in audit.
 */
export function restoreMaps(
  maps: ReadonlyMap<string, PolicyMap>,
  views: ReadonlyMap<string, MapView>,
  commits: readonly Commit[],
): void {
  for (const [name, map] of maps) {
    const enforced: [MapView, MapWrite][] = [];
    const watched = new Map<MapView, MapWrite[]>();
    for (const { attachment, writes } of commits) {
      const view = views.get(attachment);
      const its = writes.filter((write) => write.map === name);
      if (view === undefined || its.length === 0) continue;
      if (view.mode === "enforce") for (const write of its) enforced.push([view, write]);
      else watched.set(view, [...(watched.get(view) ?? []), ...its]);
    }
    if (fits(map, enforced)) for (const [view, write] of enforced) view.apply([write]);
    for (const [view, writes] of watched)
      if (
        fits(
          map,
          writes.map((write) => [view, write]),
        )
      )
        view.apply(writes);
  }
}

function fits(map: PolicyMap, writes: readonly (readonly [MapView, MapWrite])[]): boolean {
  const owned: OwnedWrite[] = [];
  for (const [view, { key, value }] of writes) {
    const writer = view.writerOf(map.name);
    if (writer === null) return false;
    if (value !== null && map.schema !== null && map.schema.breach(key, JSON.parse(value)) !== null) return false;
    owned.push({ key, value, writer });
  }
  return map.fits(owned);
}
