import type {
  COMMAND_FIELDS,
  MAP_REFERENCE_FIELDS,
  PROGRAM_REFERENCE_FIELDS,
  TARGET_FIELDS,
  TARGET_KINDS,
} from "../bpf/model/command-fields.js";
import type { FactsOf } from "../fact-type.js";

/**
 * The subject of hook `bpf`: one bpf(2) command. If the gate carries the command out itself, it has copied the whole
 * bpf_attr. For other commands only the registers are known, and each fact that would come from the task's memory is
 * null. command-fields.ts describes the facts.
 */
export type CommandSubject = FactsOf<typeof COMMAND_FIELDS>;
export type ProgramReference = FactsOf<typeof PROGRAM_REFERENCE_FIELDS>;
export type MapReference = FactsOf<typeof MAP_REFERENCE_FIELDS>;
export type AttachTarget = FactsOf<typeof TARGET_FIELDS>;
export type TargetKind = (typeof TARGET_KINDS)[number];
