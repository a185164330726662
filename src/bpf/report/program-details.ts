import { callsOf, mapsOf } from "../analysis/program-facts.js";
import { flowOf } from "../analysis/states/flow.js";
import { CORE_RELO_KINDS } from "../core/relo-kind.js";
import { OP } from "../insn/insn.js";
import type { Code, CodeMap } from "../model/code.js";
import type { MapFacts } from "../model/facts.js";
import { factsOfMap, mapMemory } from "../model/map-memory.js";
import { GPL_ONLY } from "../tables/gpl-only.js";
import { runBoundsOf } from "./run-bounds.js";

/** Facts about one program that a reviewer needs beside its effects. Computed on request, not for decisions. */
export interface ProgramDetails {
  /** The program itself and the subprograms that it reaches, in the order of their instructions. */
  readonly functions: readonly { readonly name: string; readonly insn: number; readonly insn_cnt: number }[];
  /** The relocations that the load applies, in the order of instructions. */
  readonly relocations: readonly Relocation[];
  readonly gpl_only_helpers: readonly string[];
  readonly maps: readonly MapDetails[];
  /** Null if the control flow is not known. */
  readonly loops: number | null;
  readonly tail_calls: number;
  /** Upper bound in bytes; null if the program is recursive. */
  readonly stack_depth: number | null;
  /** Upper bound of the instructions of one run; null if no bound is known. */
  readonly max_executed: number | null;
  /** Upper bound in bytes of the kernel memory of full maps. Inner maps are not counted. */
  readonly map_memory: { readonly fixed: number; readonly per_cpu: number };
}

export interface Relocation {
  readonly insn: number;
  readonly kind: "core" | "kfunc" | "ksym";
  /** `offset of field struct task_struct.pid`, or a name. */
  readonly what: string;
}

export interface MapDetails extends MapFacts {
  /** False for a map that outlives the program or has another origin: pinned, inherited or inner. */
  readonly own: boolean;
  /** Access of the program and of user space: `r`, `w` or `rw`. */
  readonly program_access: string;
  readonly user_access: string;
  /** The inner map of a map of maps. */
  readonly inner: MapFacts | null;
}

export function programDetailsOf(code: Code): ProgramDetails {
  const flow = flowOf(code);
  const paths = "because" in flow ? null : runBoundsOf(code, flow);
  const maps = mapsOf(code);
  const memory = maps.map(mapMemory);
  const { helpers } = callsOf(code);
  return {
    functions: code.functions.map(({ name, start, end }) => ({ name, insn: start, insn_cnt: end - start })),
    relocations: relocationsOf(code),
    gpl_only_helpers: helpers.filter((name) => GPL_ONLY.has(name)),
    maps: maps.map(mapAnatomy),
    loops: paths?.loops ?? null,
    tail_calls: tailCalls(code),
    stack_depth: paths?.stackDepth ?? null,
    max_executed: paths?.executed ?? null,
    map_memory: {
      fixed: memory.reduce((sum, { fixed }) => sum + fixed, 0),
      per_cpu: memory.reduce((sum, { perCpu }) => sum + perCpu, 0),
    },
  };
}

/** BPF_F_RDONLY, WRONLY, RDONLY_PROG and WRONLY_PROG (include/uapi/linux/bpf.h). */
const FLAGS = { user: { r: 1 << 3, w: 1 << 4 }, program: { r: 1 << 7, w: 1 << 8 } } as const;

function access(flags: number, { r, w }: { readonly r: number; readonly w: number }): string {
  if (flags & r) return "r";
  return flags & w ? "w" : "rw";
}

function mapAnatomy(map: CodeMap): MapDetails {
  return {
    ...factsOfMap(map),
    own: map.own,
    program_access: access(map.flags, FLAGS.program),
    user_access: map.frozen ? "r" : access(map.flags, FLAGS.user),
    inner: map.inner === null ? null : factsOfMap(map.inner),
  };
}

/** The relocations that a load applies, in the order of instructions. */
export function relocationsOf(code: Code): Relocation[] {
  const found: Relocation[] = [];
  const rewritten = new Set(code.rewrittenSlots());
  for (let slot = 0; slot < code.insns.count; slot++) {
    const rewrite = rewritten.has(slot) ? code.rewrittenAt(slot) : null;
    if (rewrite !== null)
      found.push({ insn: slot, kind: "core", what: `${CORE_RELO_KINDS[rewrite.kind] ?? "unknown"} ${rewrite.what}` });
    const opcode = code.insns.opcode[slot];
    const kfunc = opcode === OP.CALL ? code.kfuncAt(slot) : null;
    const ksym = opcode === OP.LD_IMM64 ? code.ksymAt(slot) : null;
    if (kfunc !== null) found.push({ insn: slot, kind: "kfunc", what: kfunc.name });
    if (ksym !== null) found.push({ insn: slot, kind: "ksym", what: ksym.name });
  }
  return found;
}

const TAIL_CALL = 12;

function tailCalls({ insns: { count, opcode, src, imm } }: Code): number {
  let calls = 0;
  for (let slot = 0; slot < count; slot++)
    if (opcode[slot] === OP.LD_IMM64) slot += 1;
    else if (opcode[slot] === OP.CALL && src[slot] === 0 && imm[slot] === TAIL_CALL) calls += 1;
  return calls;
}
