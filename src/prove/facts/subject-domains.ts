import { COMMAND_FIELDS } from "../../bpf/model/command-fields.js";
import { MAP_FIELDS, PROGRAM_FIELDS } from "../../bpf/model/program-fields.js";
import { domainsOf, type FactDomain } from "../../fact-type.js";
import { SUBJECT_KINDS, type SubjectKind } from "../../hooks/catalogue.js";

type Fields = Readonly<Record<string, FactDomain>>;

/** The domains of all facts of each kind of subject, from the tables that the facts themselves come from. */
export const SUBJECT_DOMAINS: Readonly<Record<SubjectKind, Fields>> = {
  program: domainsOf(PROGRAM_FIELDS),
  map: { ...domainsOf(MAP_FIELDS), ...domainsOf(SUBJECT_KINDS.map.fields) },
  command: domainsOf(COMMAND_FIELDS),
  token: domainsOf(SUBJECT_KINDS.token.fields),
  file: domainsOf(SUBJECT_KINDS.file.fields),
  blob: domainsOf(SUBJECT_KINDS.blob.fields),
};
