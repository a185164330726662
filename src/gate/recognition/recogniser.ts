import type { Mismatch, ProgramSubject, Statement } from "../../bpf/model/facts.js";
import {
  type FoundStatements,
  type IndexedStatement,
  type LiveProgramLoad,
  type MapRole,
  type Match,
  type StatedObjectForm,
  StatedRelocator,
  StatementIndex,
} from "../../bpf/recognition.js";
import type { Kernel } from "../../bpf/relocate.js";
import { PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import { CountersignError } from "../../error.js";
import type { LiveKernel } from "./live-kernel.js";

/** The facts about statements of a load, and the maps of the objects that its maps are. */
export interface RecognisedLoad extends Pick<ProgramSubject, "statements" | "mismatches"> {
  /** By the kernel's id of the map. */
  readonly roles: ReadonlyMap<number, readonly MapRole[]>;
  /** Whether the next load like it may have another result, because programs are still to be relocated. */
  readonly isPartial: boolean;
}

/** Maximum number of mismatches of a program. */
const MAX_MISMATCHES = 8;
/** Milliseconds for which one decision relocates programs. What is left is relocated between calls. */
const RELOCATION_TIME = 250;

/** Finds the statements that loads match. */
export class Recogniser {
  readonly #index: StatementIndex<IndexedStatement>;
  #relocator: StatedRelocator | null = null;
  #relocatedFor: Kernel | null = null;
  #generation = 0;

  constructor(
    statements: Iterable<IndexedStatement>,
    private readonly kernel: LiveKernel,
  ) {
    this.#index = new StatementIndex(
      statements,
      (object, program) => this.#relocatorOf(object).relocate(object, program),
      () => this.#relocator?.steps ?? 0,
    );
  }

  /** Whether there are no statements. */
  get isEmpty(): boolean {
    return this.#index.isEmpty;
  }

  /** `name` is that of the program's function, for mismatches only. */
  recognise(load: LiveProgramLoad, name: string): RecognisedLoad {
    this.#isOutOfDate();
    let found = this.#find(load, name);
    if (found.matches.length === 0 && found.hasCandidates && this.refresh()) found = this.#find(load, name);
    return {
      statements: Object.freeze(found.matches.map(statementFacts)),
      mismatches: Object.freeze(found.misses.slice(0, MAX_MISMATCHES).map(mismatchFacts)),
      roles: rolesOf(found.matches),
      isPartial: found.isPartial,
    };
  }

  /** Looks whether the kernel has other modules now: what missed may match then. */
  refresh(): boolean {
    this.kernel.refresh();
    return this.#isOutOfDate();
  }

  /** Whether the kernel has other modules than those for which programs were relocated, which are forgotten then. */
  #isOutOfDate(): boolean {
    const { generation } = this.kernel;
    if (generation === this.#generation) return false;
    this.#generation = generation;
    this.#index.forget();
    return true;
  }

  get hasPending(): boolean {
    return this.#index.hasPending;
  }

  /** Relocates one program that a decision had no time for. Returns false if there is none. */
  relocateNext(): boolean {
    return this.#index.resolveNext();
  }

  #find(load: LiveProgramLoad, name: string): FoundStatements<IndexedStatement> {
    const end = performance.now() + RELOCATION_TIME;
    return this.#index.find(
      load,
      name,
      () => this.kernel.configuration,
      () => performance.now() < end,
    );
  }

  #relocatorOf({ content }: StatedObjectForm): StatedRelocator {
    const { externs } = content.program.object;
    const kernel = this.kernel.kernel(externs.some(({ kind, type_id }) => kind === "ksym" && type_id === 0));
    if (kernel === null)
      throw new CountersignError("FILE_UNREADABLE", "the kernel's BTF cannot be read", {
        place: "/sys/kernel/btf/vmlinux",
        remedy: "use a kernel with BTF, and let the gate read it",
      });
    if (this.#relocator === null || this.#relocatedFor !== kernel) {
      this.#relocator = new StatedRelocator(kernel);
      this.#relocatedFor = kernel;
    }
    return this.#relocator;
  }
}

function statementFacts({ statement, expected, settings }: Match<IndexedStatement>): Statement {
  const { program, object } = expected;
  return Object.freeze({
    sha256: statement.sha256,
    object_sha256: object.sha256,
    name: program.name,
    type: PROGRAM_TYPES[program.type] ?? "unknown",
    settings: Object.freeze(settings.map((setting) => Object.freeze({ ...setting }))),
  });
}

/** Longest text of an expected or found value. */
const MAX_TEXT = 256;

function mismatchFacts({
  statement,
  property,
  expected,
  found,
}: FoundStatements<IndexedStatement>["misses"][number]): Mismatch {
  return Object.freeze({
    statement: statement.sha256,
    property,
    expected: expected.slice(0, MAX_TEXT),
    found: found.slice(0, MAX_TEXT),
  });
}

function rolesOf(matches: readonly Match<IndexedStatement>[]): ReadonlyMap<number, readonly MapRole[]> {
  const roles = new Map<number, MapRole[]>();
  for (const { expected, maps } of matches)
    for (const [id, name] of maps) {
      const known = roles.get(id) ?? [];
      const object = expected.object.sha256;
      if (!known.some((role) => role.object === object && role.name === name)) known.push({ object, name });
      roles.set(id, known);
    }
  return roles;
}
