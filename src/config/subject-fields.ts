import { COMMAND_FIELDS } from "../bpf/model/command-fields.js";
import { MAP_FIELDS, PROGRAM_FIELDS } from "../bpf/model/program-fields.js";
import type { SubjectKind } from "../hooks/catalogue.js";
import { OWN_FIELDS } from "../hooks/subject-fields.js";
import type { SubjectFields } from "../known-fact.js";

/** All facts of each kind of subject. */
export const SUBJECT_FIELDS = {
  program: PROGRAM_FIELDS,
  map: { ...MAP_FIELDS, ...OWN_FIELDS.map },
  command: COMMAND_FIELDS,
  token: OWN_FIELDS.token,
  file: OWN_FIELDS.file,
  blob: OWN_FIELDS.blob,
} as const satisfies Readonly<Record<SubjectKind, SubjectFields>>;
