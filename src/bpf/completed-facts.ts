import { CountersignError } from "../error.js";
import { programFacts } from "./analysis/program-facts.js";
import { decodeInsns, LD_SRC, OP } from "./insn/insn.js";
import { LiveProgram, type LoadFds } from "./live-program.js";
import type { CodeMap } from "./model/code.js";
import type { Effects, MapFacts, ProgramFacts } from "./model/facts.js";
import { PROGRAM_FACTS, PROGRAM_FIELDS, type ProgramFactsFrom, programFactsFrom } from "./model/program-fields.js";

/** Facts of which some are missing, and the paths of those: `tag`, or `effects.redirects`, or `evidence[].insn`. */
export interface Incomplete<F> {
  readonly facts: Partial<F>;
  readonly missing: readonly string[];
}

/**
 * Completes the facts about a program of a live load that another version recorded. Facts of source `code` are computed
 * again from the instructions, without BTF, so that an effect that is computed again errs on the safe side. Facts with
 * a value for such programs get it. Recorded facts are kept. The result lists what is still missing.
 */
export function completedFacts<F extends ProgramFacts>(recorded: Incomplete<F>): Incomplete<F> {
  const record = withUnrecorded(recorded);
  const { facts, missing } = record;
  const wanted = programFactsFrom("code").filter((name) => missing.some((path) => factOf(path) === name));
  const isMapUnknown = missing.some((path) => factOf(path) === "maps");
  const computed = wanted.length === 0 || !hasLoadFacts(facts) ? null : computedFacts(facts, isMapUnknown);
  if (computed === null) return record;
  const effects = withRecorded(computed, facts.effects);
  // evidence for an effect that was recorded as false would contradict the record
  const evidence = computed.evidence.filter(({ effect }) => effects[effect]);
  const found = { ...computed, effects, evidence };
  const all = new Map<string, unknown>([
    ...Object.entries(facts),
    ...wanted.map((name) => [name, found[name]] as const),
  ]);
  return {
    facts: inOrder(all),
    missing: missing.filter((path) => !(wanted as readonly string[]).includes(factOf(path))),
  };
}

function withUnrecorded<F extends ProgramFacts>({ facts, missing }: Incomplete<F>): Incomplete<F> {
  const known = PROGRAM_FACTS.filter((name) => missing.includes(name) && UNRECORDED.has(name));
  if (known.length === 0) return { facts, missing };
  const all = new Map([...Object.entries(facts), ...known.map((name) => [name, UNRECORDED.get(name)] as const)]);
  return { facts: inOrder(all), missing: missing.filter((path) => !(known as readonly string[]).includes(path)) };
}

const UNRECORDED: ReadonlyMap<string, unknown> = new Map(
  Object.entries(PROGRAM_FIELDS).flatMap(([name, field]) => ("unrecorded" in field ? [[name, field.unrecorded]] : [])),
);

/** Facts in the order of the table, as a subject has them. */
function inOrder<F>(facts: ReadonlyMap<string, unknown>): Partial<F> {
  const entries = PROGRAM_FACTS.flatMap((name) => (facts.has(name) ? [[name, facts.get(name)]] : []));
  return Object.fromEntries(entries) as Partial<F>;
}

/** Adds effects that the record lacks. One of them can end `read_only`. */
function withRecorded({ effects, evidence }: ProgramFacts, recorded: Partial<Effects> = {}): Effects {
  const all = { ...effects, ...recorded };
  const ends = evidence.some(({ effect, ends_read_only }) => ends_read_only && !Object.hasOwn(recorded, effect));
  return { ...all, read_only: all.read_only && !ends };
}

function factOf(path: string): string {
  return /^\w+/.exec(path)?.[0] ?? "";
}

type LoadFacts = ProgramFactsFrom<"load">;

function hasLoadFacts(facts: Partial<ProgramFacts>): facts is LoadFacts {
  return programFactsFrom("load").every((name) => Object.hasOwn(facts, name));
}

/** Returns null if the instructions cannot be analysed. */
function computedFacts(load: LoadFacts, isMapUnknown: boolean): ProgramFacts | null {
  const { name, section, type, license, insns, raw_insns } = load;
  try {
    const code = new LiveProgram({
      ...{ name, insns: raw_insns, type, fds: fdsOf(raw_insns, isMapUnknown ? [] : load.maps) },
      expectedAttachType: load.expected_attach_type,
      attachTo: load.attach_to,
      ...{ btf: null, kernel: null, functions: null, lines: null, relocations: null },
    });
    return programFacts(code, { name, section, license, insns, rawInsns: raw_insns });
  } catch (error) {
    if (error instanceof CountersignError) return null;
    throw error;
  }
}

/**
 * The maps that instructions refer to. A program's maps are listed in the order of its instructions, so each reference
 * belongs to the map at its place, unless several references name one map or one names none. Then no map is known.
 */
function fdsOf(rawInsns: Uint8Array, maps: readonly MapFacts[]): LoadFds {
  const { opcode, src, imm, count } = decodeInsns(rawInsns, "little");
  const references = new Set<string>();
  for (let slot = 0; slot < count; slot++)
    if (opcode[slot] === OP.LD_IMM64) {
      const kind = KINDS.get(src[slot]!);
      if (kind !== undefined) references.add(`${kind} ${imm[slot]}`);
      slot += 1;
    }
  const known = new Map<string, CodeMap>();
  if (references.size === maps.length)
    for (const [index, reference] of [...references].entries()) known.set(reference, unknownContents(maps[index]!));
  return {
    mapByFd: (fd) => known.get(`fd ${fd}`) ?? null,
    mapByIndex: (index) => known.get(`index ${index}`) ?? null,
  };
}

const KINDS: ReadonlyMap<number, "fd" | "index"> = new Map([
  [LD_SRC.MAP_FD, "fd"],
  [LD_SRC.MAP_VALUE, "fd"],
  [LD_SRC.MAP_IDX, "index"],
  [LD_SRC.MAP_IDX_VALUE, "index"],
]);

function unknownContents(map: MapFacts): CodeMap {
  return { ...map, own: false, data: null, frozen: false, inner: null };
}
