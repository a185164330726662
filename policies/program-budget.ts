// No program may be larger than its budget: in instructions, in helpers that it calls, and in bytes that its maps pin in
// the kernel's memory. The map `program_budget` changes what stands here: { "insns": 10000, "map_memory": 67108864 }
import { deny, map_lookup, type Program } from "countersign";

const BUDGET = { insns: 4096, helpers: 16, map_memory: 16 * 1024 * 1024, cpus: 64 };

const budget = (name: keyof typeof BUDGET): number => map_lookup("program_budget", name) ?? BUDGET[name];

export function bpf_prog_load(prog: Program): number {
  const used = {
    insns: prog.insn_cnt,
    helpers: prog.helpers.length,
    map_memory: prog.maps.reduce((sum, map) => sum + map.memory + budget("cpus") * map.memory_per_cpu, 0),
  };
  // asked this way round, a budget that is no number refuses
  for (const name of ["insns", "helpers", "map_memory"] as const)
    if (!(used[name] <= budget(name))) return deny(`${name} is ${used[name]}, more than the budget of ${budget(name)}`);
  return 0;
}
