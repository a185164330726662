// No program may be larger than its budget: in instructions, in helpers that it calls, in bytes that its maps pin in
// the kernel's memory, and in instructions that the verifier walked (its work at load, not the program's run time). The
// map `program_budget` changes what stands here: { "insns": 10000, "map_memory": 67108864 }
import { deny, map_lookup, type Program } from "countersign";

const BUDGET = { insns: 4096, helpers: 16, map_memory: 16 * 1024 * 1024, cpus: 64, verified_insns: 100_000 };

const budget = (name: keyof typeof BUDGET): number => map_lookup("program_budget", name) ?? BUDGET[name];

export function bpf_prog_load(prog: Program): number {
  const memory = prog.maps.reduce((sum, map) => sum + map.memory + budget("cpus") * map.memory_per_cpu, 0);
  return within("insns", prog.insn_cnt) || within("helpers", prog.helpers.length) || within("map_memory", memory);
}

// The kernel reports what the verifier did once the program is loaded, at a live gate. What the kernel rewrites at load
// (`rewritten`) has the same instructions, helpers and maps in number, so the budget holds for it, too.
export function bpf_prog(prog: Program): number {
  return prog.loaded === null ? 0 : within("verified_insns", prog.loaded.verified_insns);
}

// compared this way round, a budget that is no number denies
function within(name: keyof typeof BUDGET, used: number): number {
  return used <= budget(name) ? 0 : deny(`${name} is ${used}, more than the budget of ${budget(name)}`);
}
