import { Btf } from "../btf/btf.js";
import { reportedMapFlags } from "../tables/map-flags.js";
import { MAP_TYPES } from "../tables/names.gen.js";
import type { StatedMapForm } from "./stated-program.js";

/**
 * What libbpf and the kernel make of the definition of a map. All other attributes are reported as they are defined:
 * bpf_map_init_from_attr (kernel/bpf/syscall.c:341 of Linux 6.12) copies them, and no other map_alloc changes them.
 * `max_entries: 0` of perf event arrays is not here: libbpf takes the number of possible CPUs, so that it is a setting
 * (isSetByLibbpf of statement/rules.ts).
 *
 * | attribute | of | becomes | where |
 * | --- | --- | --- | --- |
 * | max_entries | ring buffers | a power of two of pages | adjust_ringbuf_sz, libbpf.c:2733 |
 * | max_entries | LRU maps with BPF_F_NO_COMMON_LRU | a multiple of the possible CPUs | kernel/bpf/hashtab.c:593 |
 * | map_flags | all | without BPF_F_RDONLY and BPF_F_WRONLY | bpf_map_flags_retain_permanent, syscall.c:347 |
 * | map_flags | device maps | with BPF_F_RDONLY_PROG | kernel/bpf/devmap.c:139 |
 * | types of keys and values | some types | none | bpf_object__create_map, libbpf.c:5200 |
 * | types of keys and values | that the kernel rejects | none | libbpf creates the map again without them |
 */
export class CreatedMap {
  readonly #type: string;

  constructor(private readonly stated: StatedMapForm) {
    this.#type = typeName(stated.type);
  }

  get flags(): number {
    return reportedMapFlags(this.#type, this.stated.map_flags);
  }

  /** `possibleCpus` is read only where it matters; null if it is not known, and then the result is. */
  entries(possibleCpus: () => number | null): number | null {
    const { max_entries, map_flags } = this.stated;
    if (RING_BUFFERS.has(this.#type)) return roundedToPages(max_entries);
    if (!LRU.has(this.#type) || (map_flags & NO_COMMON_LRU) === 0) return max_entries;
    const cpus = possibleCpus();
    if (cpus === null) return null;
    const rounded = Math.ceil(max_entries / cpus) * cpus;
    return rounded <= MAX_U32 ? rounded : Math.floor(max_entries / cpus) * cpus;
  }

  /** The types of keys and values with which libbpf creates the map; 0 for none. */
  get types(): readonly [key: number, value: number] {
    const { key_type_id, value_type_id } = this.stated;
    return WITHOUT_BTF.has(this.#type) ? [0, 0] : [key_type_id, value_type_id];
  }

  /**
   * Whether the kernel may reject the types (map_check_btf), so that libbpf creates the map without BTF. Kernels differ
   * in what they reject. `btf` is the object's.
   */
  mayLackTypes(btf: Uint8Array): boolean {
    const [key, value] = this.types;
    if (this.stated.kind !== "definition") return false;
    if (key === 0 || value === 0) return true;
    const takes = KEY_TYPES[this.#type];
    if (takes === undefined) return false;
    const types = new Btf(btf);
    return !takes(types, types.resolve(key));
  }
}

export function typeName(type: number): string {
  return MAP_TYPES[type] ?? String(type);
}

const PAGE = 4096;
const MAX_U32 = 0xffffffff;
/** BPF_F_NO_COMMON_LRU of linux/bpf.h. */
const NO_COMMON_LRU = 1 << 1;

const RING_BUFFERS: ReadonlySet<string> = new Set(["ringbuf", "user_ringbuf"]);
const LRU: ReadonlySet<string> = new Set(["lru_hash", "lru_percpu_hash"]);

/**
 * Map types for which libbpf passes no BTF (bpf_object__create_map). For struct_ops it passes another type, which no
 * instruction refers to.
 */
const WITHOUT_BTF: ReadonlySet<string> = new Set([
  ...["perf_event_array", "cgroup_array", "stack_trace", "array_of_maps", "hash_of_maps", "devmap", "devmap_hash"],
  ...["cpumap", "xskmap", "sockmap", "sockhash", "queue", "stack", "arena"],
]);

type TakesKey = (btf: Btf, type: number) => boolean;

const int32: TakesKey = (btf, type) => btf.int(type)?.bits === 32 && btf.int(type)?.bit === 0;

/** Which types of keys the kernel takes (map_check_btf in bpf_map_ops), by map type; any, if there is no row. */
const KEY_TYPES: Readonly<Record<string, TakesKey>> = {
  // kernel/bpf/arraymap.c:528
  array: int32,
  percpu_array: int32,
  // kernel/bpf/lpm_trie.c
  lpm_trie: (btf, type) => btf.kind(type) === "struct",
  // kernel/bpf/bloom_filter.c:182
  bloom_filter: () => false,
  // kernel/bpf/bpf_local_storage.c:687
  sk_storage: int32,
  task_storage: int32,
  inode_storage: int32,
  cgrp_storage: int32,
  // kernel/bpf/local_storage.c
  cgroup_storage: (btf, type) => btf.kind(type) === "struct" || btf.int(type)?.bits === 64,
  percpu_cgroup_storage: (btf, type) => btf.kind(type) === "struct" || btf.int(type)?.bits === 64,
};

function roundedToPages(size: number): number {
  let pages = PAGE;
  while (pages < size) pages *= 2;
  return pages <= MAX_U32 ? pages : size;
}
