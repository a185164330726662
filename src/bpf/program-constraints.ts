/**
 * What always holds between the facts about one program, for `countersign prove`. A constraint that is missing here
 * makes the prover consider programs that cannot exist. A constraint that is wrong makes it prove what is not true, so
 * that tests compare all of them with the facts of real objects and of generated programs.
 */
import { GPL_COMPATIBLE } from "./analysis/program-facts.js";
import { OBSERVES } from "./evidence/evidence-collector.js";
import { INSN_SIZE } from "./insn/insn.js";
import { EFFECTS, type EffectName } from "./model/facts.js";
import { HELPER_ROWS } from "./tables/helpers.js";
import { PROGRAM_TYPE_ROWS } from "./tables/program-types.js";

/** A statement about one fact, which is named by its path in the subject, such as `effects.read_only`. */
export type FactLiteral =
  | { readonly fact: string; readonly is: boolean }
  /** For a text: whether it is one of `of`. */
  | { readonly fact: string; readonly among: boolean; readonly of: readonly string[] };

/** At least one of `any` is true. */
export interface FactClause {
  readonly because: string;
  readonly any: readonly FactLiteral[];
}

/** A number that is a multiple of another fact. */
export interface FactMultiple {
  readonly because: string;
  readonly fact: string;
  readonly times: number;
  readonly of: string;
}

/** A text that is the beginning of another fact. */
export interface FactBeginning {
  readonly because: string;
  readonly fact: string;
  /** In UTF-16 code units. */
  readonly length: number;
  readonly of: string;
}

/**
 * Effects that a program can have although it is `read_only`: see the calls of `EvidenceCollector.noteHarmless` in
 * analysis/verdict.ts and analysis/calls.ts.
 */
const SOMETIMES_HARMLESS: ReadonlySet<EffectName> = new Set<EffectName>([
  "decides",
  "tail_calls",
  ...HELPER_ROWS.flatMap((row) => (row?.harmless ? row.effects : [])),
]);

const CHANGES = EFFECTS.filter((effect) => !OBSERVES.has(effect));

const its = (effect: EffectName | "read_only", is: boolean): FactLiteral => ({ fact: `effects.${effect}`, is });
const GPL = [...GPL_COMPATIBLE];

export const PROGRAM_CLAUSES: readonly FactClause[] = [
  ...CHANGES.filter((effect) => !SOMETIMES_HARMLESS.has(effect)).map((effect) => ({
    because: `a program with the effect \`${effect}\` is not read-only`,
    any: [its("read_only", false), its(effect, false)],
  })),
  {
    because: "a program is read-only unless an effect changes something",
    any: [its("read_only", true), ...CHANGES.map((effect) => its(effect, true))],
  },
  {
    because: "these licences allow calls of GPL-only helpers",
    any: [
      { fact: "gpl_compatible", is: true },
      { fact: "license", among: false, of: GPL },
    ],
  },
  {
    because: "no other licences allow calls of GPL-only helpers",
    any: [
      { fact: "gpl_compatible", is: false },
      { fact: "license", among: true, of: GPL },
    ],
  },
  ...(PROGRAM_TYPE_ROWS.has("unknown") ? [] : EFFECTS).map((effect) => ({
    because: "a program of a type that is not known may do anything",
    any: [{ fact: "type", among: false, of: ["unknown"] } as const, its(effect, true)],
  })),
];

export const PROGRAM_MULTIPLES: readonly FactMultiple[] = ["insns", "raw_insns"].map((bytes) => ({
  because: "an instruction has 8 bytes",
  fact: `${bytes}.length`,
  times: INSN_SIZE,
  of: "insn_cnt",
}));

export const PROGRAM_BEGINNINGS: readonly FactBeginning[] = [
  { because: "the tag is the beginning of the digest", fact: "tag", length: 16, of: "digest" },
];

/** The constraints that the facts about a program break; for real programs there are none. */
export function brokenConstraints(program: object): readonly string[] {
  const broken: string[] = [];
  for (const { because, any } of PROGRAM_CLAUSES)
    if (!any.some((literal) => holds(literal, program))) broken.push(because);
  for (const { because, fact, times, of } of PROGRAM_MULTIPLES)
    if (valueAt(program, fact) !== times * (valueAt(program, of) as number)) broken.push(because);
  for (const { because, fact, length, of } of PROGRAM_BEGINNINGS)
    if (valueAt(program, fact) !== (valueAt(program, of) as string).slice(0, length)) broken.push(because);
  return broken;
}

function holds(literal: FactLiteral, program: object): boolean {
  const value = valueAt(program, literal.fact);
  if ("is" in literal) return value === literal.is;
  return literal.of.includes(value as string) === literal.among;
}

function valueAt(program: object, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>>)[key], program);
}
