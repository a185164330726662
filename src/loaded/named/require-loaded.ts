import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import { keyOf, type ObjectName } from "../model/references.js";
import type { Scan } from "../model/scan.js";

/** Throws SCAN_NO_OBJECT, with the nearest name, for an object that a scan does not have. */
export function requireLoaded(scan: Scan, named: readonly ObjectName[]): void {
  const loaded = { program: scan.programs, map: scan.maps, link: scan.links };
  for (const { kind, id } of named) {
    if (loaded[kind].some((object) => object.id === id)) continue;
    const names = loaded[kind].map((object) => keyOf({ kind, id: object.id }));
    throw new CountersignError("SCAN_NO_OBJECT", `there is no ${kind} ${id}${didYouMean(keyOf({ kind, id }), names)}`, {
      remedy: `\`countersign scan\` lists the ${kind}s with their ids`,
    });
  }
}
