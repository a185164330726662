import { sha256 } from "../../bpf/insn/digest.js";
import type { Mismatch, ProgramSubject, Setting, Statement } from "../../bpf/model/facts.js";
import { NO_STATEMENTS } from "../../bpf/model/facts.js";
import {
  opensMap,
  opensProgram,
  type ProgramPart,
  partDifference,
  programPartDigest,
  programPartOf,
  type StatedProgram,
  type StatementContent,
  settingsOf,
} from "../../bpf/statement.js";
import { MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import { CountersignError } from "../../error.js";
import type { StatementStore, StoredStatement } from "../statements/statement-store.js";

type Statements = Pick<ProgramSubject, "statements" | "mismatches">;

/** Maximum number of mismatches of a program. */
const MAX_MISMATCHES = 8;

/**
 * The statements about the programs of one object file. A statement is about a program if the file has exactly the
 * program part that was signed. Statements of the same object, or of a program with the same name and number of
 * instructions, are mismatches otherwise.
 */
export class FileStatements {
  readonly #sha256: string;
  #part: ProgramPart | null | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly store: Pick<StatementStore, "all" | "ofObject">,
  ) {
    this.#sha256 = store.all.length === 0 ? "" : sha256(bytes);
  }

  of({ name, insn_cnt: count }: Pick<ProgramSubject, "name" | "insn_cnt">): Statements {
    const { all } = this.store;
    if (all.length === 0) return NO_STATEMENTS;
    const ofObject = this.store.ofObject(this.#sha256).filter((stored) => names(stored, name));
    const matching = ofObject.filter((stored) => this.#isPartOf(stored));
    if (matching.length > 0) return { ...NO_STATEMENTS, statements: matching.map((stored) => factsOf(stored, name)) };
    const close = [...ofObject, ...all.filter((stored) => !ofObject.includes(stored) && names(stored, name, count))];
    if (close.length === 0) return NO_STATEMENTS;
    return {
      ...NO_STATEMENTS,
      mismatches: close.slice(0, MAX_MISMATCHES).map((stored) => this.#mismatch(stored, name)),
    };
  }

  #isPartOf({ programs, programSha256 }: StoredStatement): boolean {
    const part = this.#programPart();
    if (part === null) return false;
    const stated = new Set(programs.map(({ name }) => name));
    return (
      programPartDigest({ ...part, programs: part.programs.filter(({ name }) => stated.has(name)) }) === programSha256
    );
  }

  #mismatch({ sha256: statement, objectSha256, statement: { content } }: StoredStatement, name: string): Mismatch {
    const part = this.#programPart();
    const difference = part === null ? null : partDifference(content.program, part, name);
    return { statement, ...(difference ?? { property: "object", expected: objectSha256, found: this.#sha256 }) };
  }

  /** Null if libbpf cannot load the object, so that nobody can have signed a statement of it. */
  #programPart(): ProgramPart | null {
    if (this.#part === undefined)
      try {
        this.#part = programPartOf(this.bytes);
      } catch (error) {
        if (!(error instanceof CountersignError)) throw error;
        this.#part = null;
      }
    return this.#part;
  }
}

function names({ programs }: StoredStatement, program: string, count?: number): boolean {
  return programs.some(({ name, insnCount }) => name === program && (count === undefined || insnCount === count));
}

function factsOf({ sha256: digest, objectSha256, statement: { content } }: StoredStatement, name: string): Statement {
  const program = content.program.programs.find((stated) => stated.name === name) as StatedProgram;
  const type = PROGRAM_TYPES[program.type] ?? "unknown";
  return { sha256: digest, object_sha256: objectSha256, name, type, settings: declaredSettings(content, program) };
}

/**
 * The settings of the maps that a program refers to, and what the statement opens, with the values that the object
 * declares: a loader can choose others. A setting that the signer fixed has the value that it must have. Maps that are
 * not created have no other settings.
 */
function declaredSettings(content: StatementContent, program: StatedProgram): readonly Setting[] {
  const { object } = content.program;
  const used = [...new Set(program.map_references.map(({ map }) => map))].sort((a, b) => a - b);
  const all = settingsOf(content);
  const leftOut = new Set(
    all.filter(({ kind, fixed, declared }) => kind === "autocreate" && (fixed ?? declared) === 0).map(({ map }) => map),
  );
  const settings: readonly Setting[] = all
    .filter(({ map, kind }) => used.includes(map) && (kind === "autocreate" || !leftOut.has(map)))
    .map(({ name, kind, type, declared, fixed }) => ({ name, kind, type, value: fixed ?? declared, declared }));
  const maps = used.flatMap((index) => {
    const { name, type } = object.maps[index]!;
    return opensMap(content.rules, name, "type")
      ? [opened(`${name}.type`, "type", MAP_TYPES[type] ?? String(type))]
      : [];
  });
  return [...settings, ...maps, ...openedOf(content, program)];
}

function openedOf({ rules }: StatementContent, { name, type, flags, attach_target: target }: StatedProgram): Setting[] {
  const found: Setting[] = [];
  if (opensProgram(rules, name, "attach-target"))
    found.push({ ...opened("attach_target", "attach_target", target ?? ""), declared: target });
  if (opensProgram(rules, name, "type=ext")) found.push(opened("type", "type", PROGRAM_TYPES[type] ?? String(type)));
  if (opensProgram(rules, name, "flags=xdp_has_frags")) found.push(opened("flags", "flags", flags));
  return found;
}

function opened(name: string, kind: Setting["kind"], declared: number | string): Setting {
  return { name, kind, type: null, value: declared, declared };
}
