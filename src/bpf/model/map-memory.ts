import type { MapDefinition, MapFacts } from "./facts.js";

/** Kernel memory of a full map in bytes: `fixed`, and `perCpu` for each possible CPU. */
export interface MapMemory {
  readonly fixed: number;
  readonly perCpu: number;
}

type Sizes = Pick<MapDefinition, "key_size" | "value_size" | "max_entries">;
type Rule = (key: number, value: number, entries: number) => MapMemory;

/**
 * An upper bound, calculated as the kernel does (map_mem_usage in kernel/bpf/arraymap.c, hashtab.c, ringbuf.c and
 * others) without headers of a few hundred bytes. A type without a row counts as a hash, which takes most for each
 * entry.
 */
export function mapMemory({ type, key_size, value_size, max_entries }: Sizes & { readonly type: string }): MapMemory {
  return (RULES[type] ?? hash)(inWords(key_size), inWords(value_size), max_entries);
}

/** A map's facts: its definition and its memory. */
export function factsOfMap(map: MapDefinition): MapFacts {
  const { name, type, key_size, value_size, max_entries, flags, contents } = map;
  const { fixed: memory, perCpu: memory_per_cpu } = mapMemory(map);
  return { name, type, key_size, value_size, max_entries, flags, contents, memory, memory_per_cpu };
}

const inWords = (size: number) => 8 * Math.ceil(size / 8);
const PAGE = 4096;
const POINTER = 8;
/** Size of struct htab_elem without its key, and of a bucket. */
const ELEMENT = 48;
const BUCKET = 16;

const buckets = (entries: number) => BUCKET * 2 ** Math.ceil(Math.log2(Math.max(entries, 1)));
const pointers: Rule = (_, __, entries) => ({ fixed: entries * POINTER, perCpu: 0 });
const hash: Rule = (key, value, entries) => ({
  fixed: entries * (ELEMENT + key + value) + buckets(entries),
  perCpu: 0,
});
const perCpuHash: Rule = (key, value, entries) => ({
  fixed: entries * (ELEMENT + key + POINTER) + buckets(entries),
  perCpu: entries * value,
});
const values: Rule = (_, value, entries) => ({ fixed: (entries + 1) * value, perCpu: 0 });
const ring: Rule = (_, __, bytes) => ({ fixed: bytes + 3 * PAGE, perCpu: 0 });

const RULES: Readonly<Record<string, Rule>> = {
  array: (_, value, entries) => ({ fixed: entries * value, perCpu: 0 }),
  percpu_array: (_, value, entries) => ({ fixed: entries * POINTER, perCpu: entries * value }),
  prog_array: pointers,
  perf_event_array: pointers,
  cgroup_array: pointers,
  array_of_maps: pointers,
  devmap: pointers,
  cpumap: pointers,
  xskmap: pointers,
  sockmap: pointers,
  reuseport_sockarray: pointers,
  percpu_hash: perCpuHash,
  lru_percpu_hash: perCpuHash,
  percpu_cgroup_storage: perCpuHash,
  stack_trace: (_, value, entries) => ({ fixed: entries * (value + 32) + buckets(entries), perCpu: 0 }),
  queue: values,
  stack: values,
  ringbuf: ring,
  user_ringbuf: ring,
  arena: (_, __, pages) => ({ fixed: pages * PAGE, perCpu: 0 }),
};
