import { afterEach, describe, expect, it } from "vitest";
import { Scratch } from "../../../../../src/bpf/analysis/values/scratch.js";
import { factsOfLoad } from "../../../../../src/bpf/prog-load.js";
import { isKept } from "../../../../support/garbage.js";
import { GROWING_PROGRAMS, loadOf } from "../../../../support/growing-programs.js";

/** More words than are kept for short programs, so that they come from a block. */
const LONG = 100_000;
const begun = new Set<Scratch>();

function begin(): Scratch {
  const scratch = Scratch.begin();
  begun.add(scratch);
  return scratch;
}

function end(scratch: Scratch): void {
  begun.delete(scratch);
  scratch.end();
}

afterEach(() => {
  for (const scratch of begun) end(scratch);
});

describe.each([10, LONG])("arrays of %d words", (length) => {
  it("are zeroed where an earlier analysis has written", () => {
    const before = begin();
    before.take(length).fill(7);
    before.takeAny(length).fill(7);
    end(before);
    const after = begin();
    expect(after.take(length).every((word) => word === 0)).toBe(true);
    expect(after.take(length).every((word) => word === 0)).toBe(true);
  });

  it("are in the memory of an earlier analysis", () => {
    const before = begin();
    const { buffer } = before.take(length);
    end(before);
    expect(begin().takeAny(length).buffer).toBe(buffer);
  });

  it("share no memory with each other", () => {
    const scratch = begin();
    const other = begin();
    const arrays = [0, 1, 2].flatMap(() => [scratch.take(length), scratch.takeAny(length), other.take(length)]);
    for (const [index, array] of arrays.entries()) array.fill(index + 1);
    for (const [index, array] of arrays.entries()) {
      expect(array.length).toBe(length);
      expect(array.every((word) => word === index + 1)).toBe(true);
    }
  });
});

it("is collected as garbage when no analysis uses it", { tags: ["deep"] }, async () => {
  const reference = referenceToBlock();
  expect(reference.deref()).toBeDefined();
  expect(await isKept(reference)).toBe(false);
});

/** To the memory of an analysis that has ended. */
function referenceToBlock(): WeakRef<ArrayBufferLike> {
  const scratch = begin();
  const { buffer } = scratch.takeAny(LONG);
  end(scratch);
  return new WeakRef(buffer);
}

describe("the analysis of a long program", () => {
  it.each(["straight code", "branches that meet at once"])(
    "takes the memory of an earlier one: %s",
    { tags: ["deep"] },
    (family) => {
      const load = loadOf(GROWING_PROGRAMS[family]!(200_000).bytes());
      factsOfLoad(load);
      const before = process.memoryUsage().arrayBuffers;
      factsOfLoad(load);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000);
    },
  );
});
