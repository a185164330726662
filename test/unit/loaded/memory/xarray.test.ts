import { describe, expect, it } from "vitest";
import { KernelSymbols } from "../../../../src/loaded/effects/kernel-symbols.js";
import { addressOf, kernelMemory } from "../../../../src/loaded/memory/kernel-memory.js";
import { entriesOf, entryAt, xarrayAt, xarrayLayout } from "../../../../src/loaded/memory/xarray.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { KernelCore, typesWith } from "../../../support/kernel-core.js";

const IDS = [1, 63, 64, 65, 700, 4095];
const core = (levels: number) => new KernelCore(Object.fromEntries(IDS.map((id) => [id, "00".repeat(32)])), levels);

function tableIn(of: KernelCore) {
  const address = new KernelSymbols(Buffer.from(of.kallsyms)).address("prog_idr")!;
  return xarrayAt(kernelMemory(of.readAt)!, addressOf(address), xarrayLayout(typesWith())!)!;
}

describe("entriesOf", () => {
  it.each([2, 3])("gives each pointer of a tree of %i levels, as a look at its index does", (levels) => {
    const table = tableIn(core(levels));
    const entries = [...entriesOf(table, 100)].map((entry) => entry!);
    expect(entries.map(([index]) => index)).toEqual(IDS);
    for (const [index, pointer] of entries) expect(entryAt(table, index)).toBe(pointer);
  });

  it("ends after the most that are wanted", () => {
    expect([...entriesOf(tableIn(core(2)), 2)]).toHaveLength(2);
  });

  it("ends, whatever is written over the nodes", () => {
    const next = numbers(seedOf());
    for (let round = 0; round < 300; round++) {
      const damaged = core(2).change((memory) => {
        for (let hit = 0; hit < 8; hit++) memory[64 + next(4096)] = next(256);
      });
      for (const entry of entriesOf(tableIn(damaged), 10_000))
        if (entry !== null) expect(entry[0]).toBeLessThan(2 ** 36);
    }
  });
});
