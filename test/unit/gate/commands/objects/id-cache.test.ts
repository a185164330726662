import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IdCache } from "../../../../../src/gate/commands/objects/id-cache.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

describe("what is known by an id", () => {
  it("is forgotten long before the kernel can give the id to another object", () => {
    const cache = new IdCache<string>(4);
    cache.set(7, "one");
    vi.advanceTimersByTime(59_000);
    expect(cache.get(7)).toBe("one");
    vi.advanceTimersByTime(2000);
    expect(cache.get(7)).toBeUndefined();
    cache.set(7, "another");
    expect(cache.get(7)).toBe("another");
  });

  it("is that of the last objects", () => {
    const cache = new IdCache<number>(2);
    for (const id of [1, 2, 3]) cache.set(id, id);
    expect([1, 2, 3].map((id) => cache.get(id))).toEqual([undefined, 2, 3]);
  });
});
