import { SUBJECT_FIELDS } from "../../config/subject-fields.js";
import type { FactFields, FactType } from "../../fact-type.js";
import { SUBJECT_KINDS, type SubjectKind } from "../../hooks/catalogue.js";
import { CURRENT_FIELDS } from "../../policy/model/current-fields.js";

/** When each fact is null that can be, as a clause, by its interface in types/countersign.d.ts: `Program.object`. */
export const WHEN_NULL: ReadonlyMap<string, string> = new Map([
  ...Object.entries(SUBJECT_FIELDS).flatMap(([kind, fields]) =>
    nullsOf(SUBJECT_KINDS[kind as SubjectKind].declared, fields),
  ),
  ...nullsOf("Current", CURRENT_FIELDS),
]);

function nullsOf(declared: string, fields: FactFields): [string, string][] {
  return Object.entries(fields).flatMap(([name, { type }]) => [
    ...(type.whenNull === undefined ? [] : [[`${declared}.${name}`, type.whenNull] as [string, string]]),
    ...(type.fields === undefined ? [] : nullsOf(interfaceOf(type), type.fields)),
  ]);
}

/** The name of the interface of an object, or of the objects in a list. */
function interfaceOf({ domain }: FactType<unknown>): string {
  const inner = domain.kind === "null or" || domain.kind === "list" ? domain.of : domain;
  if (inner.kind !== "object") throw new TypeError("a fact with a table is no object");
  return inner.declared;
}
