import { PROGRAM_FIELDS, type ProgramField } from "../../bpf/model/program-fields.js";
import { type FactClause, PROGRAM_CLAUSES, PROGRAM_MULTIPLES } from "../../bpf/program-constraints.js";
import type { FactDomain } from "../../fact-type.js";
import { type HookName, hookRow, SUBJECT_KINDS } from "../../hooks/catalogue.js";
import { CURRENT_DOMAINS } from "../../policy/model/current-fields.js";
import { PERMITS } from "../../sandbox/permits.js";
import { SUBJECT_DOMAINS } from "./subject-domains.js";

export type Fields = Readonly<Record<string, FactDomain>>;

/** What is known about all inputs of a decision at a hook, from the tables that the facts themselves come from. */
export interface Declarations {
  /** What policies usually call the subject; the names of facts begin with it. */
  readonly argument: string;
  readonly subject: Fields;
  readonly current: Fields;
  /** The objects that helpers return. */
  readonly results: Readonly<Record<string, Fields>>;
  /** Facts with a fixed value at this hook, by name. */
  readonly fixed: Readonly<Record<string, unknown>>;
  /** Facts that are multiples of another one: name, factor, name. */
  readonly multiples: readonly (readonly [name: string, times: number, of: string])[];
  /** The constraints between facts of the subject. */
  readonly clauses: readonly FactClause[];
}

const TEXT: FactDomain = { kind: "text", names: null, hex: null };
const TEXT_OR_NULL: FactDomain = { kind: "null or", of: TEXT };

/** The domains of what helpers return. */
export const RESULT_DOMAINS: Declarations["results"] = {
  statement_of: statementFields(),
  signer_of: { subject: TEXT_OR_NULL, key_id: TEXT, serial: TEXT_OR_NULL, issuer: TEXT_OR_NULL },
};

function statementFields(): Fields {
  const { domain } = PROGRAM_FIELDS.statements.type;
  if (domain.kind !== "list" || domain.of.kind !== "object") throw new TypeError("statements are no list of objects");
  return domain.of.fields;
}

export function declarationsOf(hook: HookName): Declarations {
  const kind = hookRow(hook).subject;
  const { argument } = SUBJECT_KINDS[kind];
  const isProgram = kind === "program";
  return {
    argument,
    subject: SUBJECT_DOMAINS[kind],
    current: CURRENT_DOMAINS,
    results: RESULT_DOMAINS,
    fixed: isProgram && hook === "bpf_prog_load" ? unloadedFacts(argument) : {},
    multiples: isProgram
      ? PROGRAM_MULTIPLES.map(({ fact, times, of }) => [`${argument}.${fact}`, times, `${argument}.${of}`] as const)
      : [],
    clauses: isProgram ? PROGRAM_CLAUSES : [],
  };
}

/** Before its load, a program has fixed values for what the kernel reports about it. */
function unloadedFacts(argument: string): Readonly<Record<string, unknown>> {
  const rows = Object.entries(PROGRAM_FIELDS as Readonly<Record<string, ProgramField>>);
  const fixed = rows.filter(([, { unloaded }]) => unloaded !== undefined);
  return Object.fromEntries(fixed.map(([name, { unloaded }]) => [`${argument}.${name}`, unloaded]));
}

const namesIn = (place: string) => PERMITS[place]!.split(" ").filter((name) => !name.startsWith("@@"));

/** Names that values of each type inherit in the sandbox. */
export const INHERITED = {
  object: namesIn("Object.prototype"),
  array: [...namesIn("Array.prototype"), ...namesIn("Object.prototype")],
  string: [...namesIn("String.prototype"), ...namesIn("Object.prototype")],
  number: [...namesIn("Number.prototype"), ...namesIn("Object.prototype")],
  boolean: [...namesIn("Boolean.prototype"), ...namesIn("Object.prototype")],
} as const;
