import { describe, expect, it } from "vitest";
import { FrozenContents } from "../../../../src/loaded/identify/frozen-contents.js";
import type { KnownMap } from "../../../../src/loaded/identify/known-program.js";
import type { MapReport } from "../../../../src/loaded/model/objects.js";
import { KERNEL } from "../../../../src/loaded/reads/reads.js";
import { usedMap } from "../../../support/translated.js";

const known: KnownMap = {
  ...{ name: ".rodata", type: "array", index: 0 },
  fixed: { bytes: Buffer.from("a text 1234"), settings: [{ offset: 7, size: 4 }] },
};
const FROZEN = { frozen: true, maxEntries: 1, valueSize: 11 };

function fits(contents: Buffer | number, given: Partial<MapReport> = {}, to = known): boolean {
  const { report } = usedMap(3, "array", { ...FROZEN, ...given });
  const reads = { ...KERNEL, bytes: () => contents };
  return new FrozenContents(reads, [report]).fits(3, to);
}
const value = (text: string) => Buffer.concat([Buffer.alloc(4), Buffer.from(text)]);

describe("read-only data of a loaded program", () => {
  it("fits if it is that of the object, whatever values settings have", () => {
    expect(fits(value("a text 1234"))).toBe(true);
    expect(fits(value("a text 9999"))).toBe(true);
  });

  it.each<[string, Buffer | number, Partial<MapReport>]>([
    ["has another text", value("b text 1234"), {}],
    ["can be changed", value("a text 1234"), { frozen: false }],
    ["may have been changed", value("a text 1234"), { frozen: null }],
    ["has another size", value("a text 12345"), { valueSize: 12 }],
    ["has several values", value("a text 1234"), { maxEntries: 2 }],
    ["cannot be read", -1, {}],
    ["is of another type", value("a text 1234"), { type: "hash" }],
  ])("does not fit if it %s", (_, contents, given) => {
    expect(fits(contents, given)).toBe(false);
  });

  it("is not read where nothing is known of it", () => {
    expect(fits(-1, { frozen: false }, { ...known, fixed: null })).toBe(true);
    expect(new FrozenContents(KERNEL, []).fits(3, { ...known, fixed: null })).toBe(false);
  });
});
