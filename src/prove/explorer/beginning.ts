import { PROGRAM_FIELDS, type ProgramField } from "../../bpf/model/program-fields.js";
import { type FactClause, PROGRAM_CLAUSES, PROGRAM_MULTIPLES } from "../../bpf/program-constraints.js";
import type { FactDomain } from "../../fact-type.js";
import { type HookDefault, type HookName, hookRow, SUBJECT_KINDS } from "../../hooks/catalogue.js";
import { CURRENT_DOMAINS } from "../../policy/model/current.js";
import type { Mode } from "../../policy/model/mode.js";
import { DETACHED_SIGNATURE_TYPES, SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import type { TaskCondition } from "../../policy/scope/task-condition.js";
import { PERMITS } from "../../sandbox/permits.js";
import { SUBJECT_DOMAINS } from "../facts/subject-domains.js";

/** The names of a configuration that policies can give to helpers. */
export interface ConfiguredNames {
  readonly keyrings: readonly string[];
  readonly maps: readonly string[];
}

/** The attachments of a hook, and how their answers are combined. */
export interface ExploredConfiguration extends ConfiguredNames {
  readonly mode: Mode;
  readonly default: HookDefault;
  readonly attachments: readonly {
    readonly name: string;
    readonly mode: Mode;
    readonly onFault: "deny" | "allow";
    readonly scope: TaskCondition;
  }[];
}

/** A configuration that is compared with another one: see the same type of the explorer in the sandbox. */
export interface ComparedConfiguration extends ExploredConfiguration {
  readonly hooks: { readonly old: readonly number[]; readonly new: readonly number[] };
  readonly common: readonly (readonly [old: number, new: number])[];
  readonly comparesReasons: boolean;
}

const TEXT: FactDomain = { kind: "text", names: null, hex: null };
const TEXT_OR_NULL: FactDomain = { kind: "null or", of: TEXT };

/** The domains of what helpers return. */
export const RESULT_DOMAINS: Readonly<Record<string, Readonly<Record<string, FactDomain>>>> = {
  statement_of: statementFields(),
  signer_of: { subject: TEXT_OR_NULL, key_id: TEXT, serial: TEXT_OR_NULL, issuer: TEXT_OR_NULL },
};

function statementFields(): Readonly<Record<string, FactDomain>> {
  const { domain } = PROGRAM_FIELDS.statements.type;
  if (domain.kind !== "list" || domain.of.kind !== "object") throw new TypeError("statements are no list of objects");
  return domain.of.fields;
}

/** What the explorer in the sandbox is told at the beginning of each path. */
export function beginningOf(
  hook: HookName,
  { keyrings, maps }: ConfiguredNames,
  configuration: ExploredConfiguration | null,
  compared: ComparedConfiguration | null,
): object {
  const kind = hookRow(hook).subject;
  const { argument } = SUBJECT_KINDS[kind];
  return {
    hook,
    configuration,
    compared,
    argument,
    subject: SUBJECT_DOMAINS[kind],
    current: CURRENT_DOMAINS,
    results: RESULT_DOMAINS,
    fixed: kind === "program" && hook === "bpf_prog_load" ? unloadedFacts(argument) : {},
    multiples:
      kind === "program"
        ? PROGRAM_MULTIPLES.map(({ fact, times, of }) => [`${argument}.${fact}`, times, `${argument}.${of}`])
        : [],
    keyrings,
    maps,
    detached: DETACHED_SIGNATURE_TYPES,
    attached: SIGNATURE_TYPES.filter((type) => !(DETACHED_SIGNATURE_TYPES as readonly string[]).includes(type)),
    inherited: {
      object: namesIn("Object.prototype"),
      array: [...namesIn("Array.prototype"), ...namesIn("Object.prototype")],
      string: [...namesIn("String.prototype"), ...namesIn("Object.prototype")],
      number: [...namesIn("Number.prototype"), ...namesIn("Object.prototype")],
      boolean: [...namesIn("Boolean.prototype"), ...namesIn("Object.prototype")],
    },
  };
}

/** Before its load, a program has fixed values for what the kernel reports about it. */
function unloadedFacts(argument: string): Readonly<Record<string, unknown>> {
  const rows = Object.entries(PROGRAM_FIELDS as Readonly<Record<string, ProgramField>>);
  const fixed = rows.filter(([, { unloaded }]) => unloaded !== undefined);
  return Object.fromEntries(fixed.map(([name, { unloaded }]) => [`${argument}.${name}`, unloaded]));
}

function namesIn(place: string): readonly string[] {
  return PERMITS[place]!.split(" ").filter((name) => !name.startsWith("@@"));
}

/** The constraints between the facts of a hook's subject. */
export function clausesOf(hook: HookName): readonly FactClause[] {
  return hookRow(hook).subject === "program" ? PROGRAM_CLAUSES : [];
}
