import { SUBJECT_FIELDS } from "../../config/subject-fields.js";
import { type FactFields, rowsByName } from "../../fact-type.js";
import { SUBJECT_KINDS, type SubjectKind } from "../../hooks/catalogue.js";
import { CURRENT_FIELDS } from "../../policy/model/current-fields.js";

/** When each fact is null that can be, as a clause, by its interface in types/countersign.d.ts: `Program.object`. */
export const WHEN_NULL: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SUBJECT_FIELDS).flatMap(([kind, fields]) =>
    nullsOf(SUBJECT_KINDS[kind as SubjectKind].declared, fields),
  ),
  ...nullsOf("Current", CURRENT_FIELDS),
]);

function nullsOf(declared: string, fields: FactFields): (readonly [string, string])[] {
  return [...rowsByName(declared, fields)].flatMap(([name, { type }]) =>
    type.whenNull === undefined ? [] : [[name, type.whenNull] as const],
  );
}
