import { SUBJECT_FIELDS } from "../../config/subject-fields.js";
import { domainsOf, type FactDomain } from "../../fact-type.js";
import type { SubjectKind } from "../../hooks/catalogue.js";

type Fields = Readonly<Record<string, FactDomain>>;

/** The domains of all facts of each kind of subject, from the tables that the facts themselves come from. */
export const SUBJECT_DOMAINS = Object.fromEntries(
  Object.entries(SUBJECT_FIELDS).map(([kind, fields]) => [kind, domainsOf(fields)]),
) as Readonly<Record<SubjectKind, Fields>>;
