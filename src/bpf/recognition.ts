/**
 * Recognition of live loads: whether a load is a program of a statement as libbpf relocates it for the running kernel,
 * and which values its settings have.
 */
import { CountersignError } from "../error.js";
import { LruCache } from "../lru-cache.js";
import { INSN_SIZE } from "./insn/insn.js";
import { beforeRelocation } from "./recognition/instructions.js";
import type { KernelConfiguration } from "./recognition/kconfig-contents.js";
import type { LiveProgramLoad } from "./recognition/live-load.js";
import type { Difference } from "./recognition/properties.js";
import { type Recognised, recognise } from "./recognition/recognise.js";
import { ExpectedProgram, lookupKey, type RelocatedForm, StatedObjectForm } from "./recognition/stated-program.js";
import type { ProgramStatement } from "./statement/encoding.js";

export {
  cpuCount,
  type KernelConfiguration,
  kernelVersion,
  parseKernelConfig,
} from "./recognition/kconfig-contents.js";
export {
  type LiveAttachTarget,
  type LiveMap,
  type LiveMapDefinition,
  type LiveProgramLoad,
  type LiveTargetProgram,
  MAX_ROLES,
  type MapRole,
} from "./recognition/live-load.js";
export type { MapProperty, ProgramProperty } from "./recognition/properties.js";
export { StatedObjectForm } from "./recognition/stated-program.js";
export { StatedRelocator } from "./recognition/stated-relocation.js";

/** Relocates a program of a statement for the running kernel, once for each known loader. Throws CORE_… errors. */
export type Relocate = (object: StatedObjectForm, program: number) => readonly RelocatedForm[];

/** A statement of a store. Its contents are read when a load has the number of instructions of one of its programs. */
export interface IndexedStatement {
  readonly sha256: string;
  readonly byteOrder: "little" | "big";
  readonly programs: readonly { readonly name: string; readonly insnCount: number }[];
  readonly statement: ProgramStatement;
}

/** A statement that a load matches, as which of its programs, and with which settings. */
export interface Match<S extends IndexedStatement> extends Recognised {
  readonly statement: S;
  readonly expected: ExpectedProgram;
}

export interface Miss<S extends IndexedStatement> extends Difference {
  readonly statement: S;
}

export interface FoundStatements<S extends IndexedStatement> {
  /** In ascending order of the statements' SHA-256. */
  readonly matches: readonly Match<S>[];
  /**
   * Statements that do not match, but have a program with the same instructions or function name, each with the first
   * difference; in the same order. Not all of them if there are many.
   */
  readonly misses: readonly Miss<S>[];
  /** Whether programs with this number of instructions are not relocated yet, so that there may be more matches. */
  readonly isPartial: boolean;
  /** Whether any stated program has this number of instructions. */
  readonly hasCandidates: boolean;
}

/**
 * The statements that a gate knows, by the number of instructions of their programs, which relocation does not change.
 * Programs are relocated when a load first has their number of instructions, each once.
 */
export class StatementIndex<S extends IndexedStatement> {
  readonly #byCount = new Map<number, Candidates<S>>();
  readonly #byKey = new Map<string, Relocation<S>[]>();
  /** Relocated programs and their objects. They take several times the bytes of a statement, and are made again. */
  readonly #expected = new LruCache<Candidate<S>, readonly ExpectedProgram[]>(KEPT_PROGRAMS, KEPT_BYTES);
  readonly #objects = new LruCache<S, StatedObjectForm>(KEPT_OBJECTS, KEPT_BYTES);
  /** Candidates that a decision had no time for. */
  readonly #pending: Candidate<S>[] = [];

  constructor(
    statements: Iterable<S>,
    private readonly relocate: Relocate,
    /** The number of steps that all relocations took so far. */
    private readonly steps: () => number = () => 0,
  ) {
    for (const statement of statements) {
      if (statement.byteOrder !== "little") continue;
      for (const [index, { insnCount }] of statement.programs.entries()) {
        const candidate: Candidate<S> = { statement, index, state: "new", relocations: [] };
        let others = this.#byCount.get(insnCount);
        if (others === undefined) {
          others = new Candidates();
          this.#byCount.set(insnCount, others);
        }
        others.add(candidate);
      }
    }
  }

  get isEmpty(): boolean {
    return this.#byCount.size === 0;
  }

  /**
   * Finds the statements that a load matches. `name` is the name of its function, for misses only. `hasTime` says
   * whether another program may be relocated now; the others are left to {@link resolveNext}.
   */
  find(
    load: LiveProgramLoad,
    name: string,
    kernel: () => KernelConfiguration | null,
    hasTime: () => boolean,
  ): FoundStatements<S> {
    const candidates = this.#byCount.get(load.insns.length / INSN_SIZE);
    if (candidates === undefined) return NOTHING;
    if (candidates.unresolved > 0) this.#resolveSome(candidates, name, hasTime);
    const alike = this.#byKey.get(keyOf(lookupKey(load.insns), load.coreRelos.bytes.length > 0)) ?? [];
    const matches = new Map<S, Match<S>>();
    const misses = new Map<S, Miss<S>>();
    const tried = new Set<Relocation<S>>();
    const miss = (statement: S, program: string, difference: Difference) => {
      if (!misses.has(statement) || program === name) misses.set(statement, { statement, ...difference });
    };
    const compare = (relocation: Relocation<S>) => {
      if (tried.has(relocation)) return;
      tried.add(relocation);
      const { statement } = relocation.candidate;
      const expected = relocation.kept ?? this.#formOf(relocation);
      if (expected === null) return;
      if (alike.length > KEPT_PROGRAMS) relocation.kept = expected;
      const found = recognise(expected, load, kernel);
      if ("property" in found) miss(statement, expected.program.name, found);
      else if (!matches.has(statement)) matches.set(statement, { statement, expected, ...found });
    };
    for (const relocation of alike) if (relocation.btf === load.btf) compare(relocation);
    let remade = 0;
    // misses are for people: a load that only looks like many programs must not have all of them relocated again
    const compareCheaply = (relocation: Relocation<S>) => {
      const isKnown = relocation.kept !== undefined || this.#expected.peek(relocation.candidate) !== undefined;
      if (!isKnown && ++remade > MAX_REMADE) return;
      compare(relocation);
    };
    for (const relocation of alike) {
      if (misses.size >= MAX_MISSES) break;
      compareCheaply(relocation);
    }
    if (matches.size === 0)
      for (const { statement, error, state, relocations } of candidates.named(name)) {
        if (misses.size >= MAX_MISSES) break;
        if (error !== undefined) miss(statement, name, unresolved(error));
        else if (state === "pending") miss(statement, name, UNRESOLVED);
        else relocations.slice(0, 1).forEach(compareCheaply);
      }
    for (const statement of matches.keys()) misses.delete(statement);
    return {
      matches: inOrder(matches),
      misses: inOrder(misses),
      isPartial: candidates.unresolved > 0,
      hasCandidates: true,
    };
  }

  /** Whether a decision had no time for some programs. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Relocates one program that a decision had no time for. Returns false if there is none. */
  resolveNext(): boolean {
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) {
      if (next.state !== "pending") continue;
      this.#resolve(next);
      return true;
    }
    return false;
  }

  /** Forgets all relocations, because the kernel has other BTF now. */
  forget(): void {
    this.#byKey.clear();
    this.#expected.clear();
    this.#pending.length = 0;
    for (const candidates of this.#byCount.values()) candidates.forget();
  }

  /**
   * Relocates programs with the function's name first, and MUST of these even without time as long as they take few
   * steps, so that a signed tool is recognised at its first start.
   */
  #resolveSome(candidates: Candidates<S>, name: string, hasTime: () => boolean): void {
    let must = MUST;
    const last = this.steps() + MUST_STEPS;
    const isNamed = (candidate: Candidate<S>) => nameOf(candidate) === name;
    for (const candidate of [...candidates.named(name), ...candidates.all]) {
      if (candidate.state === "resolved") continue;
      if (hasTime() || (isNamed(candidate) && must > 0 && this.steps() < last)) {
        must -= 1;
        this.#resolve(candidate);
      } else if (candidate.state === "new") {
        candidate.state = "pending";
        this.#pending.push(candidate);
      }
    }
  }

  #resolve(candidate: Candidate<S>): void {
    const { statement, index } = candidate;
    candidate.state = "resolved";
    this.#byCount.get(statement.programs[index]!.insnCount)!.unresolved -= 1;
    try {
      candidate.relocations = this.#expectedOf(candidate).map((expected, form) => {
        const relocation: Relocation<S> = { candidate, form, btf: expected.object.btf };
        this.#index(keyOf(expected.key, false), relocation);
        if (expected.program.relocations.length > 0)
          this.#index(keyOf(lookupKey(beforeRelocation(expected)), true), relocation);
        return relocation;
      });
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      candidate.error = error;
    }
  }

  #index(key: string, relocation: Relocation<S>): void {
    const others = this.#byKey.get(key);
    if (others === undefined) this.#byKey.set(key, [relocation]);
    else others.push(relocation);
  }

  /** Null if the program cannot be relocated again, because other programs of its object took too many steps. */
  #formOf({ candidate, form }: Relocation<S>): ExpectedProgram | null {
    try {
      return this.#expectedOf(candidate)[form] ?? null;
    } catch (error) {
      if (error instanceof CountersignError) return null;
      throw error;
    }
  }

  /** A program as each known loader relocates it. Throws CORE_… errors. */
  #expectedOf(candidate: Candidate<S>): readonly ExpectedProgram[] {
    const known = this.#expected.get(candidate);
    if (known !== undefined) return known;
    const { statement, index } = candidate;
    const object = this.#objectOf(statement);
    const program = object.content.program.programs[index]!;
    const expected = this.relocate(object, index).map((relocated) => new ExpectedProgram(object, program, relocated));
    const bytes = expected.reduce((sum, { insns }) => sum + 2 * insns.length, program.insns.length);
    this.#expected.set(candidate, expected, bytes);
    return expected;
  }

  #objectOf(statement: S): StatedObjectForm {
    const known = this.#objects.get(statement);
    if (known !== undefined) return known;
    const { content } = statement.statement;
    const object = new StatedObjectForm(content);
    const insns = content.program.programs.reduce((sum, program) => sum + program.insns.length, 0);
    this.#objects.set(statement, object, insns + 4 * (object.originalBtf?.length ?? 0));
    return object;
  }
}

/** Limits of what is kept of statements that loads were compared with. */
const KEPT_PROGRAMS = 1024;
const KEPT_OBJECTS = 256;
const KEPT_BYTES = 64 * 2 ** 20;

/** Number of programs with the name of a load's function that are relocated in any case, each in a few milliseconds. */
const MUST = 8;
/** Number of steps after which no more of these are relocated: 10 times what the largest of libbpf-tools takes. */
const MUST_STEPS = 200_000;
/** Number of misses from which on no more are looked for. */
const MAX_MISSES = 8;
/** Number of evicted programs that are relocated again for the misses of one load. */
const MAX_REMADE = 1;

interface Candidate<S> {
  readonly statement: S;
  /** Index in the statement's programs. */
  readonly index: number;
  state: "new" | "pending" | "resolved";
  relocations: readonly Relocation<S>[];
  error?: CountersignError | undefined;
}

/** The stated programs with one number of instructions. */
class Candidates<S extends IndexedStatement> {
  readonly all: Candidate<S>[] = [];
  /** How many are not relocated yet. */
  unresolved = 0;
  readonly #byName = new Map<string, Candidate<S>[]>();

  add(candidate: Candidate<S>): void {
    this.all.push(candidate);
    this.unresolved += 1;
    const name = nameOf(candidate);
    const others = this.#byName.get(name);
    if (others === undefined) this.#byName.set(name, [candidate]);
    else others.push(candidate);
  }

  named(name: string): readonly Candidate<S>[] {
    return this.#byName.get(name) ?? [];
  }

  forget(): void {
    this.unresolved = this.all.length;
    for (const candidate of this.all) {
      candidate.state = "new";
      candidate.relocations = [];
      candidate.error = undefined;
    }
  }
}

const NOTHING = { matches: [], misses: [], isPartial: false, hasCandidates: false } as const;

/** One of the forms that a stated program has after relocation. */
interface Relocation<S> {
  readonly candidate: Candidate<S>;
  /** Its index. */
  readonly form: number;
  /** SHA-256 of the BTF that libbpf loads with it. */
  readonly btf: string | null;
  /**
   * Set if more statements have the same program than are kept otherwise: all of them are compared with each such load,
   * and none would be found in the cache.
   */
  kept?: ExpectedProgram;
}

/** The key of a form; `before`: of its instructions before CO-RE relocation, where the kernel applies it. */
function keyOf(key: string, before: boolean): string {
  return before ? `before ${key}` : key;
}

function inOrder<T extends { readonly statement: IndexedStatement }>(found: ReadonlyMap<unknown, T>): readonly T[] {
  return [...found.values()].sort((a, b) => (a.statement.sha256 < b.statement.sha256 ? -1 : 1));
}

function nameOf({ statement, index }: Candidate<IndexedStatement>): string {
  return statement.programs[index]!.name;
}

const UNRESOLVED: Difference = {
  property: "insns",
  expected: "instructions that are relocated for this kernel",
  found: "no time was left to relocate them: load the program again",
};

function unresolved(error: CountersignError): Difference {
  return { property: "insns", expected: "a program that this kernel can load", found: error.message };
}
