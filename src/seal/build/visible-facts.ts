import { LOADER_CHOICES } from "../../bpf/model/differences.js";
import { SUBJECT_FIELDS } from "../../config/subject-fields.js";
import type { FactFields } from "../../fact-type.js";
import type { HookName } from "../../hooks/catalogue.js";
import { differsFor, type SubjectField, whyNot } from "../../known-fact.js";
import { FILE_HOOKS } from "../plan/means.js";

/**
 * Why the guard can never see a fact, by its path, such as `effects.read_only` or `maps.name`; null if it is the same
 * for every load with the same entry of the list, apart from what the loader chooses. A verdict that depends on one of
 * the others holds only for the load that was judged.
 */
export function whyHidden(hook: HookName, path: string): string | null {
  for (const field of rowsOn(SUBJECT_FIELDS[FILE_HOOKS.includes(hook) ? "file" : "program"], path)) {
    const why = whyNot(field, "sealed", Object.values(LOADER_CHOICES));
    if (why !== null) return why === "null" ? "a load does not have it" : why;
  }
  return null;
}

/** A verdict that reads the list of maps alone can depend on how many there are. */
export function dependsOnInnerMaps(path: string): boolean {
  return path === "maps" || isChosen(path, "innerMaps");
}

export function dependsOnVariables(path: string): boolean {
  return isChosen(path, "variables");
}

export function dependsOnSizes(path: string): boolean {
  return isChosen(path, "sizes");
}

/** Whether the loader chooses what a fact of a program is, by the row of the fact or of one that it is a part of. */
function isChosen(path: string, choice: keyof typeof LOADER_CHOICES): boolean {
  return [...rowsOn(SUBJECT_FIELDS.program, path)].some((field) => differsFor(field, "sealed", LOADER_CHOICES[choice]));
}

/** The rows of the facts on a path, the outermost first. A length of a list, an index or a method ends it. */
function* rowsOn(table: FactFields, path: string): Iterable<SubjectField> {
  let fields: FactFields | undefined = table;
  for (const name of path.split(".")) {
    const field = fields?.[name] as SubjectField | undefined;
    if (field === undefined) return;
    yield field;
    fields = field.type.fields;
  }
}
