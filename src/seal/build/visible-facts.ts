import { SUBJECT_FIELDS } from "../../config/subject-fields.js";
import type { FactFields } from "../../fact-type.js";
import type { HookName } from "../../hooks/catalogue.js";
import { type SubjectField, whyNot } from "../../known-fact.js";
import { FILE_HOOKS } from "../plan/means.js";

/**
 * Why the guard cannot see a fact, by its path, such as `effects.read_only` or `maps.name`; null if it is the same for
 * every load with the same entry of the list. A verdict that depends on one of the others holds only for the load that
 * was judged.
 */
export function whyHidden(hook: HookName, path: string): string | null {
  let fields: FactFields | undefined = SUBJECT_FIELDS[FILE_HOOKS.includes(hook) ? "file" : "program"];
  for (const name of path.split(".")) {
    const field: SubjectField | undefined = fields?.[name] as SubjectField | undefined;
    // The length of a list, an index, or a method
    if (field === undefined) return null;
    const why = whyNot(field, "sealed");
    if (why !== null) return why === "null" ? "a load does not have it" : why;
    fields = field.type.fields;
  }
  return null;
}

/** Facts that can change with the values that a loader gives to variables, since constants decide branches. */
const BY_VARIABLES: readonly string[] = ["effects", "maps.contents"];
/** Facts that can change with the sizes of maps that a loader chooses. */
const BY_SIZES: readonly string[] = [
  ...["maps.key_size", "maps.value_size", "maps.max_entries", "maps.memory", "maps.memory_per_cpu"],
];

/** Facts that can change with the maps that a loader puts into a map of maps. */
const BY_INNER_MAPS: readonly string[] = ["effects", "maps.inner", "maps.memory", "maps.memory_per_cpu"];

export function dependsOnInnerMaps(path: string): boolean {
  return path === "maps" || isOneOf(path, BY_INNER_MAPS);
}

export function dependsOnVariables(path: string): boolean {
  return isOneOf(path, BY_VARIABLES);
}

export function dependsOnSizes(path: string): boolean {
  return isOneOf(path, BY_SIZES);
}

function isOneOf(path: string, facts: readonly string[]): boolean {
  return facts.some((fact) => path === fact || path.startsWith(`${fact}.`));
}
