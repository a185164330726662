// @module-tag deep
/**
 * Each loop whose length a message chooses costs effort in proportion to its length, and work in proportion to the
 * effort. The limit is exact: with as much effort as a message takes, the result is the same, and with less it is
 * rejected for that.
 */
import "../support/work.js";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../src/errno.js";
import { MAX_EFFORT, PER_UNIT } from "../../src/trust/base/effort.js";
import type { Keyring } from "../../src/trust/keyring.js";
import { METERED_LOOPS, type MeteredLoop } from "../support/metered-loops.js";
import { spending } from "../support/spent-effort.js";
import { worked } from "../support/work.js";

const LIMIT = { verdict: -ERRNO.EKEYREJECTED, rule: "effort limit" };
/** Blocks of code that a unit may run; see test/support/work.ts. */
const BLOCKS_A_UNIT = 400;
/** Sizes of messages. A file of more than 2,048 elements is not split, and so costs less. */
const [FEW, MANY] = [1_000, 4_000];

const judge = (loop: MeteredLoop, keyring: Keyring, message: Buffer, size: number, left?: number) =>
  spending(() => keyring.verify(loop.content?.(size) ?? loop.data, message, loop.type, Date.now()), left);

describe("a loop over", () => {
  it.each(Object.entries(METERED_LOOPS))("%s", (_, loop) => {
    const cost = (size: number) => {
      const message = loop.message(size);
      const keyring = loop.keyring();
      const { result, blocks } = worked(() => judge(loop, keyring, message, size));
      return { ...result, blocks, message };
    };
    const [few, many] = [cost(FEW), cost(MANY)];
    expect(many.units).toBeGreaterThan(few.units + (MANY - FEW) / PER_UNIT.bytes - 1);
    expect(many.blocks - few.blocks).toBeLessThan(BLOCKS_A_UNIT * (many.units - few.units));
    if (many.units > MAX_EFFORT) {
      expect(many.result).toMatchObject(LIMIT);
      return;
    }
    const { units, message } = many;
    expect(judge(loop, loop.keyring(), message, MANY, units).result).toMatchObject({ rule: many.result.rule });
    for (const left of [units - 0.001, units / 2, 0])
      expect(judge(loop, loop.keyring(), message, MANY, left).result).toMatchObject(LIMIT);
    // Certificates and paths that were seen before cost the same
    const keyring = loop.keyring();
    const other = Buffer.from(loop.content?.(MANY) ?? loop.data);
    keyring.verify(Buffer.from("other"), message, loop.type, Date.now());
    expect(spending(() => keyring.verify(other, message, loop.type, Date.now())).units).toBe(units);
  });
});

describe("the longest form of 64 KiB of a loop over", () => {
  it.each(Object.entries(METERED_LOOPS))("%s", (_, loop) => {
    const size = 60_000;
    const message = loop.message(size);
    const { result, blocks } = worked(() => judge(loop, loop.keyring(), message, size));
    expect(blocks).toBeLessThan(BLOCKS_A_UNIT * (MAX_EFFORT + 1_000));
    if (result.units > MAX_EFFORT) expect(result.result).toMatchObject(LIMIT);
    expect(result.result.reason.length).toBeLessThan(300);
  });
});
