/** Program statements: what a signer signs of the programs of one object before they are relocated. */
import { CountersignError } from "../error.js";
import { BpfObject } from "./object.js";
import type { ProgramPart, StatedProgram } from "./statement/content.js";
import { deriveProgramPart } from "./statement/derivation.js";
import { encodeStatement, type ProgramStatement, parseStatement } from "./statement/encoding.js";
import { openingsOf } from "./statement/openings.js";
import { type RuleOptions, rulesOf } from "./statement/rules.js";
import { declaredSettings, settingsOf } from "./statement/settings.js";

export { expectedAttachTypes } from "./statement/attach-types.js";
export type {
  ProgramPart,
  StatedMap,
  StatedObject,
  StatedProgram,
  StatedSetting,
  StatementContent,
  StatementRules,
} from "./statement/content.js";
export {
  encodeStatement,
  MAX_STATEMENT,
  type ProgramStatement,
  parseStatement,
  programPartDigest,
} from "./statement/encoding.js";
export { notCovered } from "./statement/not-covered.js";
export { opensMap, opensProgram } from "./statement/openings.js";
export { partDifference } from "./statement/part-difference.js";
export type { RuleOptions } from "./statement/rules.js";
export { readValue } from "./statement/setting-value.js";
export { btfOf, settingsOf } from "./statement/settings.js";

/** A statement and the bytes to sign. */
export interface EncodedStatement {
  readonly bytes: Uint8Array;
  readonly statement: ProgramStatement;
}

/**
 * The program part of a statement of an object file: of all its programs, or of those named. Throws USAGE for an
 * unknown name, and the errors of BpfObject for an object that libbpf cannot load.
 */
export function programPartOf(bytes: Uint8Array, names: readonly string[] | null = null): ProgramPart {
  return deriveProgramPart(bytes, new BpfObject(bytes), names);
}

/** The statement of an object file under a signer's rules. Throws as {@link programPartOf} and {@link rulesOf}. */
export function statementOf(
  bytes: Uint8Array,
  names: readonly string[] | null = null,
  options: RuleOptions = {},
): EncodedStatement {
  return statementOfPart(programPartOf(bytes, names), options);
}

/** The statement of a program part under a signer's rules. Throws as {@link rulesOf}. */
export function statementOfPart(program: ProgramPart, options: RuleOptions = {}): EncodedStatement {
  const encoded = encodeStatement({ version: 1, program, rules: rulesOf(program, options) });
  return { bytes: encoded, statement: readBack(encoded) };
}

/** Objects that no compiler writes can have what no statement may say. */
function readBack(encoded: Uint8Array): ProgramStatement {
  try {
    const statement = parseStatement(encoded);
    settingsOf(statement.content);
    return statement;
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== "STATEMENT_MALFORMED") throw error;
    throw new CountersignError("ELF_UNSUPPORTED", `what would be stated of it ${error.message}`, {
      place: error.place,
      remedy: "build the object again, and check that libbpf loads it",
    });
  }
}

/** The names that `--fix` and `--open` can have for a program part. */
export function ruleNames(part: ProgramPart): {
  readonly settings: ReadonlySet<string>;
  readonly openings: ReadonlySet<string>;
} {
  return {
    settings: new Set(declaredSettings(part.object).map(({ name }) => name)),
    openings: new Set(openingsOf(part)),
  };
}

/** BPF_PROG_TYPE_TRACING, EXT and LSM of linux/bpf.h. */
const NEEDS_TARGET: ReadonlySet<number> = new Set([26, 28, 29]);

/**
 * The programs that name no attach target, although PROG_LOAD needs one: the loader chooses it, which the signer must
 * have opened.
 */
export function withoutTarget({ programs }: ProgramPart): readonly StatedProgram[] {
  return programs.filter(({ type, attach_target: target }) => NEEDS_TARGET.has(type) && target === null);
}
