import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { countShared, toShared } from "../../../../../src/gate/task/blocking/shared-bytes.js";

const MIB = 2 ** 20;

describe("the bytes of an outcome", () => {
  it("are moved to shared memory, whatever has them", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const [one, none, several] = toShared([bytes, null, [bytes, 7]]) as [Uint8Array, null, [Uint8Array, number]];
    for (const each of [one, several[0]]) {
      expect(each.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect([...each]).toEqual([1, 2, 3]);
    }
    expect([none, several[1]]).toEqual([null, 7]);
  });

  it("are collected although V8 does not count shared memory", { tags: ["deep"] }, async () => {
    const bytes = new Uint8Array(MIB);
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 512; round += 1) {
      countShared(toShared(round % 2 === 0 ? bytes : [null, bytes]));
      await setImmediate();
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * MIB);
  });
});
