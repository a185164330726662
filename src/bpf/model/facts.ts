import type { FactsOf } from "../../fact-type.js";
import type {
  EFFECT_FIELDS,
  EVIDENCE_FIELDS,
  FILE_FIELDS,
  LOADED_FIELDS,
  MAP_DEFINITION_FIELDS,
  MAP_FIELDS,
  PROGRAM_FIELDS,
  ProgramFactsFrom,
} from "./program-fields.js";
import type { MISMATCH_FIELDS, SETTING_FIELDS, STATEMENT_FIELDS } from "./statement-fields.js";

export { EFFECTS, type EffectName } from "./program-fields.js";

/** Facts about BPF code. program-fields.ts describes each. */
export type Effects = FactsOf<typeof EFFECT_FIELDS>;
export type Evidence = FactsOf<typeof EVIDENCE_FIELDS>;
export type MapDefinition = FactsOf<typeof MAP_DEFINITION_FIELDS>;
export type MapFacts = FactsOf<typeof MAP_FIELDS>;
export type LoadedFacts = FactsOf<typeof LOADED_FIELDS>;
export type Setting = FactsOf<typeof SETTING_FIELDS>;
export type Statement = FactsOf<typeof STATEMENT_FIELDS>;
export type Mismatch = FactsOf<typeof MISMATCH_FIELDS>;
export type FileFacts = FactsOf<typeof FILE_FIELDS>;

/** All facts about a program: the subject of a decision. */
export type ProgramSubject = FactsOf<typeof PROGRAM_FIELDS>;
/** A program that no statement is about. Frozen, so that the sandbox sends the lists once. */
export const NO_STATEMENTS: Pick<ProgramSubject, "statements" | "mismatches"> = Object.freeze({
  statements: Object.freeze([]),
  mismatches: Object.freeze([]),
});

/** The facts about a program that are known before the policies are asked, apart from its signatures and its file. */
export type ProgramFacts = ProgramFactsFrom<"load" | "code">;

export interface ObjectFacts {
  /** SHA-256 of the whole file in lower-case hex. */
  readonly sha256: string;
  readonly byte_order: "little" | "big";
  readonly programs: readonly ProgramFacts[];
  /** All maps that libbpf creates before it loads programs, in its order, including those that no program refers to. */
  readonly maps: readonly MapFacts[];
}
