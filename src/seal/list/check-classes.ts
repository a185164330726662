import { ATTACH_TYPES, HELPERS, MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import { CountersignError } from "../../error.js";
import { decodeClasses, encodeClasses, type GuardClasses, type ProgramClass } from "../classes/class-table.js";
import { whyExcluded } from "../classes/excluded.js";

/**
 * Decodes the classes of a list, and requires that a configuration can have them and that they are as `encodeClasses`
 * writes them. Throws SEAL_LIST_MALFORMED; SEAL_LIST_UNSUPPORTED for numbers that this version does not know.
 */
export function checkedClasses(bytes: Buffer): GuardClasses {
  const classes = decodeClasses(bytes);
  for (const [row, each] of classes.admit.entries()) {
    const place = `class ${row}`;
    requireKnown(each, place);
    const excluded = whyExcluded(each);
    if (excluded !== null) throw malformed(place, excluded);
  }
  const { types, helpers } = classes.mask;
  requireNamed(types, PROGRAM_TYPES, "program type", "mask");
  requireNamed(helpers, HELPERS, "helper", "mask");
  if (!encodeClasses(classes).equals(bytes)) throw malformed("classes", "have bytes that are not used, and not zero");
  return classes;
}

function requireKnown({ type, attachTypes, helpers, mapTypes }: ProgramClass, place: string): void {
  requireNamed([type], PROGRAM_TYPES, "program type", place);
  requireNamed(attachTypes, ATTACH_TYPES, "attach type", place);
  requireNamed(helpers, HELPERS, "helper", place);
  requireNamed(mapTypes, MAP_TYPES, "map type", place);
}

function requireNamed(numbers: readonly number[], names: readonly string[], what: string, place: string): void {
  const unknown = numbers.find((number) => names[number] === undefined);
  if (unknown === undefined) return;
  throw new CountersignError("SEAL_LIST_UNSUPPORTED", `has the unknown ${what} ${unknown}`, {
    place,
    remedy: "build and read the list with the same version of Countersign",
  });
}

function malformed(place: string, message: string): CountersignError {
  return new CountersignError("SEAL_LIST_MALFORMED", message, {
    place,
    remedy: "build the list again with `countersign seal build`",
  });
}
