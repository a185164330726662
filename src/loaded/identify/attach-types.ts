import type { ProgramReport } from "../model/objects.js";
import type { Place } from "../model/places.js";
import type { Scan } from "../model/scan.js";

/** The attach types that links and targets say of a program, as bpftool spells them. */
export function attachTypesOf({ id }: ProgramReport, { links, places }: Scan): readonly string[] {
  const ofLinks = links.filter(({ type, program }) => program === id && (type === "tracing" || type === "cgroup"));
  const named = ofLinks.map(({ target }) => target.attach_type).filter((type) => typeof type === "string");
  const ofPlaces = places.filter((place): place is Extract<Place, { at: "cgroup" }> => {
    return place.program === id && place.at === "cgroup";
  });
  return [...named.filter((type) => type !== "unknown"), ...ofPlaces.map(({ attachType }) => attachType)];
}
