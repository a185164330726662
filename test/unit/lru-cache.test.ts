import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LruCache } from "../../src/lru-cache.js";

describe("an LRU cache", () => {
  it("evicts the entry that was used least recently", () => {
    const cache = new LruCache<string, number>(2);
    cache.set("a", 1);
    cache.set("b", 2);
    expect(cache.get("a")).toBe(1);
    cache.set("c", 3);
    expect([cache.peek("a"), cache.peek("b"), cache.peek("c")]).toEqual([1, undefined, 3]);
  });

  it("is not changed by a peek", () => {
    const cache = new LruCache<string, number>(2);
    cache.set("a", 1);
    cache.set("b", 2);
    expect(cache.peek("a")).toBe(1);
    cache.set("c", 3);
    expect(cache.peek("a")).toBeUndefined();
  });

  it("has as many entries as fit into its bytes, and none that is larger", () => {
    const cache = new LruCache<string, number>(10, 100);
    cache.set("a", 1, 60);
    cache.set("b", 2, 40);
    expect([cache.size, cache.bytes]).toEqual([2, 100]);
    cache.set("c", 3, 1);
    expect([cache.size, cache.bytes, cache.peek("a")]).toEqual([2, 41, undefined]);
    cache.set("d", 4, 101);
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  it("counts the bytes of a value that is replaced or deleted once", () => {
    const cache = new LruCache<string, number>(10, 100);
    cache.set("a", 1, 60);
    cache.set("a", 2, 50);
    expect([cache.get("a"), cache.bytes]).toEqual([2, 50]);
    expect([cache.delete("a"), cache.delete("a"), cache.bytes]).toEqual([true, false, 0]);
  });

  it("moves a key that was the last one, was deleted, and came back", () => {
    const cache = new LruCache<string, number>(2);
    cache.set("a", 1);
    cache.delete("a");
    cache.set("b", 2);
    cache.set("a", 3);
    expect(cache.get("b")).toBe(2);
    cache.set("c", 4);
    expect([cache.peek("a"), cache.peek("b")]).toEqual([undefined, 2]);
  });

  it("behaves like a list in the order of use", () => {
    const key = fc.integer({ min: 0, max: 7 });
    const action = fc.oneof(
      fc.record({ is: fc.constant("set" as const), key, bytes: fc.integer({ min: 0, max: 40 }) }),
      fc.record({
        is: fc.constantFrom("get" as const, "delete" as const, "peek" as const),
        key,
        bytes: fc.constant(0),
      }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const cache = new LruCache<number, number>(4, 100);
        let model: { key: number; value: number; bytes: number }[] = [];
        for (const [step, { is, key, bytes }] of actions.entries()) {
          const known = model.find((one) => one.key === key);
          if (is === "get" || is === "peek") expect(cache[is](key)).toBe(known?.value);
          if (is === "delete") expect(cache.delete(key)).toBe(known !== undefined);
          if (is !== "peek") model = model.filter((one) => one !== known);
          if (is === "get" && known !== undefined) model.push(known);
          if (is === "set") {
            cache.set(key, step, bytes);
            model.push({ key, value: step, bytes });
            while (model.length > 4 || model.reduce((sum, one) => sum + one.bytes, 0) > 100) model.shift();
          }
          expect([cache.size, cache.bytes]).toEqual([model.length, model.reduce((sum, one) => sum + one.bytes, 0)]);
        }
        for (const { key, value } of model) expect(cache.peek(key)).toBe(value);
      }),
    );
  });
});
