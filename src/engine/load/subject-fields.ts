import { COMMAND_FIELDS } from "../../bpf/model/command-fields.js";
import { MAP_FIELDS, PROGRAM_FIELDS } from "../../bpf/model/program-fields.js";
import type { FactFields, FactType } from "../../fact-type.js";
import { SUBJECT_KINDS, type SubjectKind } from "../../hooks/catalogue.js";
import { OWN_FIELDS } from "../../hooks/subject-fields.js";
import type { SubjectFields } from "../../known-fact.js";
import { CURRENT_FIELDS } from "../../policy/model/current-fields.js";

/** All facts of each kind of subject. */
export const SUBJECT_FIELDS = {
  program: PROGRAM_FIELDS,
  map: { ...MAP_FIELDS, ...OWN_FIELDS.map },
  command: COMMAND_FIELDS,
  token: OWN_FIELDS.token,
  file: OWN_FIELDS.file,
  blob: OWN_FIELDS.blob,
} as const satisfies Readonly<Record<SubjectKind, SubjectFields>>;

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
