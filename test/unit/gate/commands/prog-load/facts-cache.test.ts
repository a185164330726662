import { describe, expect, it } from "vitest";
import { FactsCache } from "../../../../../src/gate/commands/prog-load/facts-cache.js";

const bytes = (length: number, value: number, changed?: number) => {
  const made = new Uint8Array(length).fill(value);
  if (changed !== undefined) made[changed]! ^= 1;
  return made;
};

describe("the cache of facts", () => {
  it("is found by the same bytes, and by nothing that differs in one of them", () => {
    for (const length of [1, 7, 800, 1025, 5000, 8192, 8193, 100_000]) {
      const known = new FactsCache<string>(8, 2 ** 20);
      known.set([bytes(16, 0), bytes(length, 3)], "facts", 100);
      expect(known.get([bytes(16, 0), bytes(length, 3)]), String(length)).toBe("facts");
      const places = Array.from({ length: Math.min(length, 64) }, (_, index) => Math.floor((index * length) / 64));
      for (const at of [...places, length >> 1, length - 1])
        expect(known.get([bytes(16, 0), bytes(length, 3, at)]), `${length}: byte ${at}`).toBeUndefined();
    }
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])("is found wherever the memory of a part begins: at byte %i", (offset) => {
    for (const length of [0, 3, 4, 11, 800, 1025, 8193]) {
      const known = new FactsCache<string>(8, 2 ** 20);
      known.set([bytes(length, 3)], "facts", 100);
      const memory = new Uint8Array(offset + length).fill(3);
      expect(known.get([memory.subarray(offset)]), `${length} bytes`).toBe("facts");
      expect(known.get([Buffer.from(memory.buffer, offset)]), `a Buffer of ${length} bytes`).toBe("facts");
    }
  });

  it("distinguishes loads whose parts have different boundaries", () => {
    const known = new FactsCache<string>(8, 2 ** 20);
    known.set([bytes(3, 1), bytes(1, 1)], "facts", 100);
    expect(known.get([bytes(1, 1), bytes(3, 1)])).toBeUndefined();
    expect(known.get([bytes(4, 1), bytes(0, 1)])).toBeUndefined();
  });

  it("does not change when the memory of its input changes", () => {
    const known = new FactsCache<string>(8, 2 ** 20);
    const part = bytes(800, 3);
    known.set([part], "facts", 100);
    part[400] = 0;
    expect(known.get([part])).toBeUndefined();
    expect(known.get([bytes(800, 3)])).toBe("facts");
  });

  it("evicts the least recently used entries, by number and by bytes", () => {
    const known = new FactsCache<number>(3, 10_000);
    for (let value = 0; value < 3; value += 1) known.set([bytes(8, value)], value, 0);
    expect(known.get([bytes(8, 0)])).toBe(0);
    known.set([bytes(8, 3)], 3, 0);
    expect([0, 1, 2, 3].map((value) => known.get([bytes(8, value)]))).toEqual([0, undefined, 2, 3]);
    known.set([bytes(8, 4)], 4, 9_984);
    expect([0, 2, 3, 4].map((value) => known.get([bytes(8, value)]))).toEqual([undefined, undefined, 3, 4]);
  });

  it("keeps the order of use when entries are added and looked up in between", () => {
    const put = new FactsCache<number>(2, 10_000);
    put.set([bytes(8, 1)], 1, 0);
    expect(put.get([bytes(8, 1)])).toBe(1);
    put.set([bytes(8, 2)], 2, 0);
    expect(put.get([bytes(8, 1)])).toBe(1);
    put.set([bytes(8, 3)], 3, 0);
    expect([1, 2, 3].map((value) => put.get([bytes(8, value)]))).toEqual([1, undefined, 3]);

    const asked = new FactsCache<number>(2, 10_000);
    for (const value of [1, 2]) asked.set([bytes(8, value)], value, 0);
    expect([1, 2].map((value) => asked.get([bytes(8, value)]))).toEqual([1, 2]);
    asked.set([bytes(8, 3)], 3, 0);
    expect([1, 2, 3].map((value) => asked.get([bytes(8, value)]))).toEqual([undefined, 2, 3]);
  });

  it("counts the size of an entry once, even if it is added again", () => {
    const known = new FactsCache<number>(100, 1000);
    for (let round = 0; round < 50; round += 1) known.set([bytes(8, 1)], round, 400);
    known.set([bytes(8, 2)], 2, 400);
    expect([known.get([bytes(8, 1)]), known.get([bytes(8, 2)])]).toEqual([49, 2]);
  });
});
