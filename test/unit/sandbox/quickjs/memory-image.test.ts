import { describe, expect, it } from "vitest";
import { MemoryImage, PAGE } from "../../../../src/sandbox/quickjs/memory-image.js";
import { numbers, seedOf } from "../../../support/damage.js";

const PAGES = 12;
const seed = seedOf();

/** A memory some of whose pages have bytes that are not 0. */
function memory(next: (below: number) => number): Uint8Array {
  const bytes = new Uint8Array(PAGES * PAGE);
  for (let page = 0; page < PAGES; page++)
    for (let count = next(3); count > 0; count--) bytes[page * PAGE + next(PAGE)] = next(256);
  return bytes;
}

describe(`an image of a memory (seed ${seed})`, () => {
  it("restores every byte", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    for (let round = 0; round < 20; round++) {
      const bytes = memory(next);
      const before = bytes.slice();
      const image = new MemoryImage(bytes.buffer as ArrayBuffer);
      for (let count = 0; count < 30; count++) bytes[next(bytes.length)] = next(256);
      image.restore(bytes.buffer as ArrayBuffer);
      expect(Buffer.from(bytes).equals(before)).toBe(true);
    }
  });

  it("clears what a memory has grown by", () => {
    const before = memory(numbers(seed));
    const image = new MemoryImage(before.slice().buffer as ArrayBuffer);
    const grown = new Uint8Array((PAGES + 3) * PAGE).fill(7);
    image.restore(grown.buffer as ArrayBuffer);
    expect(Buffer.from(grown.subarray(0, PAGES * PAGE)).equals(before)).toBe(true);
    expect(grown.subarray(PAGES * PAGE).every((byte) => byte === 0)).toBe(true);
  });

  it("writes the pages with bytes that are not 0, and no others", () => {
    const bytes = new Uint8Array(4 * PAGE);
    bytes[0] = 1;
    bytes[3 * PAGE - 1] = 2;
    const image = new MemoryImage(bytes.buffer as ArrayBuffer);
    bytes.fill(9);
    image.writeTo(bytes.buffer as ArrayBuffer);
    const at = (page: number, offset: number) => bytes[page * PAGE + offset];
    expect([at(0, 0), at(0, 1), at(1, 0), at(1, PAGE - 1), at(2, 0), at(2, PAGE - 1), at(3, 0)]).toEqual([
      1, 0, 9, 9, 0, 2, 9,
    ]);
  });
});
