import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { CreatedMap } from "../../../../src/bpf/recognition/created-map.js";
import type { StatedMapForm } from "../../../../src/bpf/recognition/stated-program.js";
import { MAP_TYPES } from "../../../../src/bpf/tables/names.gen.js";

const stated = (type: string, more: Partial<StatedMapForm> = {}): StatedMapForm => ({
  ...{ name: "map", kind: "definition", type: MAP_TYPES.indexOf(type), key_size: 4, value_size: 8, max_entries: 1001 },
  ...{ map_flags: 0, numa_node: 0, map_extra: "0", pinning: 0, key_type_id: 1, value_type_id: 1, autocreate: true },
  ...{ inner: null, data: null, ...more },
});
const entries = (type: string, max_entries: number, map_flags = 0, cpus: number | null = 6) =>
  new CreatedMap(stated(type, { max_entries, map_flags })).entries(() => cpus);
const NO_COMMON_LRU = 2;

describe("the number of entries of a map that was created", () => {
  it("is a power of two of pages for ring buffers", () => {
    for (const type of ["ringbuf", "user_ringbuf"])
      expect([1, 4096, 4097, 12_288, 2 ** 31 + 1].map((size) => entries(type, size))).toEqual([
        ...[4096, 4096, 8192, 16_384, 2 ** 31 + 1],
      ]);
  });

  it("is a multiple of the CPUs for LRU maps that have a list for each", () => {
    for (const type of ["lru_hash", "lru_percpu_hash"]) {
      expect([1, 6, 7, 1001].map((size) => entries(type, size, NO_COMMON_LRU))).toEqual([6, 6, 12, 1002]);
      // it would not fit into 32 bits
      expect(entries(type, 2 ** 32 - 1, NO_COMMON_LRU)).toBe(2 ** 32 - 4);
      expect(entries(type, 1001)).toBe(1001);
      expect(entries(type, 1001, NO_COMMON_LRU, null)).toBeNull();
    }
  });

  it("is the stated one for all other types", () => {
    const changed = ["ringbuf", "user_ringbuf", "lru_hash", "lru_percpu_hash"];
    for (const type of MAP_TYPES.filter((each) => !changed.includes(each)))
      expect(entries(type, 1001, NO_COMMON_LRU, null), type).toBe(1001);
  });
});

describe("the types of a map that was created", () => {
  const btf = new BtfWriter();
  const u32 = btf.int("unsigned int", 4);
  const u64 = btf.int("unsigned long", 8);
  const number = btf.typedef("number", btf.type("", "const", u32));
  const record = btf.struct("record", 4, [["word", u32, 0]]);
  const place = btf.enum("place", [["FIRST", 0]]);
  const mayLack = (type: string, key_type_id: number, value_type_id = u64) =>
    new CreatedMap(stated(type, { key_type_id, value_type_id })).mayLackTypes(btf.bytes());

  it("can be absent if the kernel rejects the key's", () => {
    for (const type of ["array", "percpu_array", "sk_storage", "task_storage", "inode_storage", "cgrp_storage"])
      expect([u32, number, place, u64, record].map((key) => mayLack(type, key))).toEqual([
        ...[false, false, true, true, true],
      ]);
    expect([u32, record].map((key) => mayLack("lpm_trie", key))).toEqual([true, false]);
    expect([place, record].map((key) => mayLack("hash", key))).toEqual([false, false]);
    for (const type of ["cgroup_storage", "percpu_cgroup_storage"])
      expect([u32, u64, record].map((key) => mayLack(type, key))).toEqual([true, false, false]);
    expect(mayLack("bloom_filter", u32)).toBe(true);
  });

  it("can be absent if only one of them is stated", () => {
    expect([mayLack("hash", 0), mayLack("hash", u32, 0)]).toEqual([true, true]);
  });

  it("cannot be absent for global data", () => {
    const data = stated("array", { kind: "rodata", key_type_id: 0 });
    expect(new CreatedMap(data).mayLackTypes(btf.bytes())).toBe(false);
  });

  it("are not passed by libbpf for some types", () => {
    expect(new CreatedMap(stated("stack_trace")).types).toEqual([0, 0]);
    expect(new CreatedMap(stated("hash")).types).toEqual([1, 1]);
  });
});
