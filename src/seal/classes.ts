/** What the guard admits without a list, and what it denies although it is listed. */
import { ATTACH_TYPES, HELPERS, MAP_TYPES, PROGRAM_TYPES } from "../bpf/tables/names.gen.js";
import type { GuardClasses, ProgramClass } from "./classes/class-table.js";

export { CLASSES_MAP, encodeClasses, type GuardClasses, NO_CLASSES } from "./classes/class-table.js";
export { configuredClasses } from "./classes/configured-classes.js";
export { KNOWN_CLASSES } from "./classes/known-classes.js";

/** What programs of a class are, as a clause. */
export function describeClass({ type, attachTypes, helpers, mapTypes, instructions }: ProgramClass): string {
  const attach = attachTypes.filter((number) => number !== 0).map((number) => ATTACH_TYPES[number]);
  return [
    `the guard admits ${PROGRAM_TYPES[type]} programs of at most ${instructions} instructions`,
    attach.length === 0 ? [] : `attach types ${attach.join(", ")}`,
    helpers.length === 0 ? "no helpers" : `helpers ${helpers.map((number) => HELPERS[number]).join(", ")}`,
    mapTypes.length === 0 ? "no maps" : `${mapTypes.map((number) => MAP_TYPES[number]).join(", ")} maps`,
  ]
    .flat()
    .join("; ");
}

/** What the mask denies, as a clause; null if it denies nothing. */
export function describeMask({ mask: { types, helpers } }: GuardClasses): string | null {
  const parts = [
    types.length === 0 ? [] : `programs of the types ${types.map((number) => PROGRAM_TYPES[number]).join(", ")}`,
    helpers.length === 0 ? [] : `programs that call ${helpers.map((number) => HELPERS[number]).join(", ")}`,
  ].flat();
  return parts.length === 0 ? null : parts.join(", and ");
}
