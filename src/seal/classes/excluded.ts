import { HELPERS, MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import type { ProgramClass } from "./class-table.js";

const READS_KERNEL = "its programs read any memory of the kernel";

/** Program types that no class may admit, by their names, with the reason. */
export const EXCLUDED_TYPES: Readonly<Record<string, string>> = {
  kprobe: READS_KERNEL,
  tracepoint: READS_KERNEL,
  perf_event: READS_KERNEL,
  raw_tracepoint: READS_KERNEL,
  raw_tracepoint_writable: READS_KERNEL,
  // iterators too: they have this type
  tracing: READS_KERNEL,
  struct_ops: "its programs are operations of the kernel",
  ext: "its programs replace functions of other programs",
  lsm: "its programs decide for the kernel, as the guard does",
  syscall: "its programs make system calls, such as bpf(2)",
};

const READS_MEMORY = "reads memory of the kernel or of processes";
const CALLS_BPF = "calls bpf(2), or finds things of the kernel for it";

/** Helpers that no class may admit, by their numbers in linux/bpf.h, with the reason. */
export const EXCLUDED_HELPERS: ReadonlyMap<number, string> = new Map([
  [4, READS_MEMORY],
  [45, READS_MEMORY],
  [112, READS_MEMORY],
  [113, READS_MEMORY],
  [114, READS_MEMORY],
  [115, READS_MEMORY],
  [36, "writes memory of processes"],
  [58, "changes what functions of the kernel return"],
  [187, "changes what another program, such as the guard's, returned"],
  [166, CALLS_BPF],
  [167, CALLS_BPF],
  [168, CALLS_BPF],
]);

/** Map types that a class may allow: those that hold only bytes. */
const CLASS_MAPS: readonly string[] = [
  "hash",
  "array",
  "percpu_hash",
  "percpu_array",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
];

/** Why no class may be so, as a clause; null if it may. */
export function whyExcluded({ type, helpers, mapTypes }: Omit<ProgramClass, "name">): string | null {
  const excluded = EXCLUDED_TYPES[PROGRAM_TYPES[type] ?? ""];
  if (excluded !== undefined) return `no class admits the type \`${PROGRAM_TYPES[type]}\`: ${excluded}`;
  for (const helper of helpers) {
    const reason = EXCLUDED_HELPERS.get(helper);
    if (reason !== undefined) return `no class admits the helper \`${HELPERS[helper]}\`: it ${reason}`;
  }
  for (const map of mapTypes)
    if (!CLASS_MAPS.includes(MAP_TYPES[map] ?? ""))
      return `no class admits \`${MAP_TYPES[map] ?? map}\` maps: they hold more than bytes`;
  return null;
}
