import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readWritesLine, writesLine } from "../../../../src/gate/agent/fd-store/map-journal.js";

const WROTE = {
  attachment: "a",
  mode: "enforce" as const,
  writes: [
    { map: "m", key: "k\n", value: '{"a":[1]}' },
    { map: "m", key: "", value: null },
  ],
};

describe("what an attachment wrote to maps, as a line", () => {
  it("is read as it was written", () => {
    expect(writesLine(WROTE)).not.toContain("\n");
    expect(readWritesLine(writesLine(WROTE))).toEqual(WROTE);
  });

  it.each<[string, unknown]>([
    ["no list", {}],
    ["of another version", [2, "a", "enforce", []]],
    ["longer", [1, "a", "enforce", [], 1]],
    ["of no attachment", [1, null, "enforce", []]],
    ["of no mode", [1, "a", "allow", []]],
    ["without writes", [1, "a", "audit"]],
    ["of a key that is none", [1, "a", "audit", [["m", 7, "1"]]]],
    ["of a value that is not text", [1, "a", "audit", [["m", "k", 1]]]],
    ["of a value that is no JSON", [1, "a", "audit", [["m", "k", "{"]]]],
    ["of a write with more", [1, "a", "audit", [["m", "k", "1", "2"]]]],
  ])("is not read where it is %s", (_, value) => {
    expect(readWritesLine(JSON.stringify(value))).toBeNull();
  });

  it("is not read, and nothing is thrown, whatever stands there", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => readWritesLine(line) === null));
  });
});
