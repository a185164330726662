import { CountersignError } from "../error.js";
import { didYouMean } from "../nearest.js";
import { effectsOf } from "./analysis/effects.js";
import { programFacts } from "./analysis/program-facts.js";
import { Scratch } from "./analysis/values/scratch.js";
import { Instructions } from "./described/instructions.js";
import { OBSERVES } from "./evidence/evidence-collector.js";
import { zeroMapReferences } from "./insn/digest.js";
import { MAX_INSNS } from "./insn/insn.js";
import { LiveProgram } from "./live-program.js";
import type { CodeMap } from "./model/code.js";
import { EFFECTS, type Effects, type Evidence, type MapDefinition, type ProgramFacts } from "./model/facts.js";
import type { KernelTypes } from "./prog-load.js";
import { HELPER_ROWS, type HelperRow } from "./tables/helpers.js";
import { HELPERS } from "./tables/names.gen.js";
import { PROGRAM_TYPE_ROWS, type Verdict } from "./tables/program-types.js";

/** A program by the facts that matter to a test. */
export interface ProgramDescription {
  readonly name: string;
  /** As bpftool spells it, and so is `expected_attach_type`. */
  readonly type: string;
  readonly expected_attach_type: string | null;
  readonly attach_to: string | null;
  readonly section: string | null;
  readonly license: string;
  /** Names of helpers that it calls, once each, in this order. */
  readonly helpers: readonly string[];
  readonly kfuncs: readonly string[];
  readonly maps: readonly MapDefinition[];
  /** Number of instructions; by default as many as the rest needs. */
  readonly insn_cnt: number | undefined;
  /** The value that it returns; by default one that changes nothing, if its type has one. */
  readonly returns: number | undefined;
  /** Effects that the instructions do not have, or have and should not. */
  readonly effects: Partial<Effects>;
}

/**
 * The facts of a program that is assembled from a description: its calls and references to maps are real instructions,
 * and their facts are computed as those of a live load. Calls get the context, a map, memory in the frame or a number,
 * whichever the helper takes. A helper that takes a map gets the first of `maps`, or else a hash map of its own. Throws
 * INSN_MALFORMED for a helper that does not exist, and for an `insn_cnt` that is too small.
 */
export function describedProgram(described: ProgramDescription): ProgramFacts {
  const rows = described.helpers.map(rowOf);
  const needsMap = described.maps.length === 0 && rows.some(({ args }) => args.includes("m"));
  const maps = (needsMap ? [OWN_MAP] : described.maps).map(codeMapOf);
  const rawInsns = assembled(described, rows, maps.length);
  const { name, section, license, type, expected_attach_type: expectedAttachType, attach_to: attachTo } = described;
  const none = { btf: null, functions: null, lines: null, relocations: null };
  const fds = { mapByFd: (fd: number) => maps[fd - FIRST_FD] ?? null, mapByIndex: () => null };
  const kernel = kernelWith(described.kfuncs);
  const parts = { name, insns: rawInsns, type, expectedAttachType, attachTo, kernel, fds, ...none };
  const insns = zeroMapReferences(rawInsns, "little");
  const scratch = Scratch.begin();
  try {
    const code = new LiveProgram({ ...parts, scratch });
    const facts = programFacts(code, { name, section, license, insns, rawInsns }, effectsOf(code, scratch));
    return { ...facts, ...withEffects(facts, described.effects) };
  } finally {
    scratch.end();
  }
}

const FIRST_FD = 3;
const OWN_MAP: MapDefinition = {
  name: "map",
  type: "hash",
  key_size: 8,
  value_size: 8,
  max_entries: 1,
  flags: 0,
  contents: null,
};

function codeMapOf(map: MapDefinition): CodeMap {
  return { ...map, own: true, data: null, frozen: false, inner: null };
}

function assembled(described: ProgramDescription, rows: readonly HelperRow[], maps: number): Uint8Array {
  const insns = new Instructions();
  if (rows.length + described.kfuncs.length > 0) insns.begin();
  for (let index = 0; index < maps; index++) insns.useMap(FIRST_FD + index);
  for (const row of rows) insns.callHelper(row, FIRST_FD);
  for (const index of described.kfuncs.keys()) insns.callKfunc(index + 1);
  const least = insns.count + insns.ending;
  const { insn_cnt: count = least } = described;
  if (count < least || count > MAX_INSNS)
    throw new CountersignError("INSN_MALFORMED", `\`insn_cnt\` is ${count}, and not from ${least} to ${MAX_INSNS}`, {
      place: `program ${described.name}`,
      remedy: "give a number in this range, or leave it out",
    });
  insns.pad(count);
  return insns.end(described.returns ?? neutralValue(described));
}

function rowOf(name: string): HelperRow {
  const row = HELPER_ROWS[HELPERS.indexOf(name)];
  if (row !== undefined) return row;
  throw new CountersignError("INSN_MALFORMED", `there is no helper \`${name}\`${didYouMean(name, HELPERS)}`, {
    place: "helpers",
    remedy: "name helpers as the kernel does, such as `bpf_map_lookup_elem`",
  });
}

/** A value that a program of this type can return without a consequence; 0 if there is none. */
function neutralValue({ type, expected_attach_type: attach }: ProgramDescription): number {
  const row = PROGRAM_TYPE_ROWS.get(type);
  const verdict: Verdict = row?.verdictBy?.[attach ?? ""] ?? row?.verdict ?? "ignored";
  if (typeof verdict !== "object") return 0;
  return typeof verdict.neutral === "string" ? 1 : (verdict.neutral.at(-1) ?? 0);
}

/** BTF of a kernel that has these kfuncs, with ids from 1. */
function kernelWith(kfuncs: readonly string[]): KernelTypes {
  return {
    count: kfuncs.length + 1,
    kind: () => "func",
    name: (id) => kfuncs[id - 1]!,
    member: () => undefined,
  };
}

function withEffects(facts: ProgramFacts, given: Partial<Effects>): Pick<ProgramFacts, "effects" | "evidence"> {
  const effects = { ...facts.effects, ...given };
  const added = EFFECTS.filter((name) => given[name] === true && !facts.effects[name]);
  const stated = added.map((effect): Evidence => {
    const ends_read_only = !OBSERVES.has(effect);
    return { effect, insn: null, text: null, source: null, because: "the test says so", ends_read_only };
  });
  const evidence = [...facts.evidence.filter(({ effect }) => effects[effect]), ...stated];
  if (given.read_only === undefined && Object.keys(given).length > 0)
    effects.read_only = !evidence.some(({ ends_read_only }) => ends_read_only);
  return { effects, evidence };
}
