import { describe, expect, it } from "vitest";
import { Attr, CREATE, LOAD } from "../../../../../src/gate/call/attr.js";
import { isLongCreate, isLongLoad, LARGE } from "../../../../../src/gate/commands/objects/long-calls.js";
import { createdMap } from "../../../../../src/gate/commands/objects/map-subject.js";

function attrOf(words: Readonly<Record<number, number>>): Attr {
  const attr = new Attr(LOAD.size, LOAD.size);
  for (const [at, value] of Object.entries(words)) attr.setU32(Number(at), value);
  return attr;
}

describe("which calls take the kernel long", () => {
  it("is a load of many instructions", () => {
    expect(isLongLoad(attrOf({ [LOAD.insnCount]: LARGE }))).toBe(false);
    expect(isLongLoad(attrOf({ [LOAD.insnCount]: LARGE + 1 }))).toBe(true);
  });

  const map = (type: number, valueSize: number, entries: number) => ({
    [CREATE.mapType]: type,
    [CREATE.keySize]: 4,
    [CREATE.valueSize]: valueSize,
    [CREATE.maxEntries]: entries,
  });
  const [hash, array, perCpuHash] = [1, 2, 5];
  it.each([
    ["a hash", map(hash, 8, 100_000), map(hash, 8, 1_000_000)],
    ["a hash of long values", map(hash, 7_800, 10_240), map(hash, 7_800, 20_480)],
    ["an array", map(array, 7_800, 10_240), map(array, 7_800, 20_480)],
    ["a hash with a copy for each CPU", map(perCpuHash, 8, 10_000), map(perCpuHash, 8, 100_000)],
  ])("is the creation of %s with many elements or bytes", (_, short, long) => {
    expect(isLongCreate(createdMap(attrOf(short)))).toBe(false);
    expect(isLongCreate(createdMap(attrOf(long)))).toBe(true);
  });
});
