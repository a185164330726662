import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { PolicyMap } from "../../../../src/policy/maps/map.js";
import { MapView } from "../../../../src/policy/maps/map-view.js";

function maps(initial: Record<string, unknown> = {}, limits = { entries: 4, bytes: 200 }) {
  const writers = { as: new Map([["one", "default"]]), count: 1 };
  const counts = new PolicyMap("counts", initial, limits, writers);
  const rules = new PolicyMap("rules", { edge: { require_signature: true } }, null, writers);
  const all = new Map([counts, rules].map((map) => [map.name, map]));
  return {
    counts,
    all,
    enforce: () => new MapView(all, "enforce", "one"),
    audit: () => new MapView(all, "audit", "one"),
  };
}

describe("a map", () => {
  it("returns values as JSON text, and null for a missing key", () => {
    const view = maps({ "a\0b": [1], __proto__2: 1 }).enforce();
    expect(view.lookup("rules", "edge")).toBe('{"require_signature":true}');
    expect(view.lookup("counts", "a\0b")).toBe("[1]");
    for (const key of ["__proto__", "constructor", ""]) expect(view.lookup("rules", key)).toBeNull();
    expect(view.lookup("no-such-map", "edge")).toBeNull();
  });

  it("that is not writable refuses to be written with -EPERM", () => {
    const view = maps().enforce();
    expect(view.update("rules", "edge", "1")).toBe(-ERRNO.EPERM);
    expect(view.delete("rules", "edge")).toBe(-ERRNO.EPERM);
    expect(view.update("no-such-map", "edge", "1")).toBe(-ERRNO.ENOENT);
    expect(view.delete("no-such-map", "edge")).toBe(-ERRNO.ENOENT);
  });

  it("takes nothing that is not JSON", () => {
    const view = maps().enforce();
    for (const text of ["", "undefined", "{", "1 2", "NaN"])
      expect(view.update("counts", "a", text), text).toBe(-ERRNO.EINVAL);
  });

  it("is full at its number of entries and its bytes, and has room again after a delete", () => {
    const view = maps().enforce();
    for (const key of ["a", "b", "c", "d"]) expect(view.update("counts", key, "1")).toBe(0);
    expect(view.update("counts", "e", "1")).toBe(-ERRNO.E2BIG);
    expect(view.update("counts", "a", "2")).toBe(0);
    expect(view.delete("counts", "a")).toBe(0);
    expect(view.delete("counts", "a")).toBe(-ERRNO.ENOENT);
    expect(view.update("counts", "e", "1")).toBe(0);
    expect(view.update("counts", "e", JSON.stringify("x".repeat(100)))).toBe(-ERRNO.E2BIG);
  });
});

describe("keys that come and go", () => {
  it.each(["enforce", "audit"] as const)("leave nothing behind in %s, within a decision or after it", (mode) => {
    const { all, counts } = maps();
    const view = new MapView(all, mode, "one");
    for (let i = 0; i < 100; i++) {
      expect(view.update("counts", `within ${i}`, "1")).toBe(0);
      expect(view.delete("counts", `within ${i}`)).toBe(0);
      expect(view.update("counts", `after ${i}`, "1")).toBe(0);
      if (i > 0) expect(view.delete("counts", `after ${i - 1}`)).toBe(0);
      expect(view.commit().length).toBe(i > 0 ? 2 : 1);
    }
    expect(view.delete("counts", "after 99")).toBe(0);
    view.commit();
    expect(counts.used).toMatchObject({ entries: 0, bytes: 0 });
    for (const key of ["a", "b", "c", "d"]) expect(view.update("counts", key, "1")).toBe(0);
    expect(view.update("counts", "e", "1")).toBe(-ERRNO.E2BIG);
  });

  it("stay deleted for an attachment in audit that deleted what the map has", () => {
    const { enforce, audit } = maps({ old: 1 });
    const [binding, watching] = [enforce(), audit()];
    watching.delete("counts", "old");
    watching.commit();
    for (let i = 0; i < 100; i++) {
      binding.update("counts", `k${i}`, "1");
      binding.commit();
      expect(watching.delete("counts", `k${i}`)).toBe(0);
      watching.commit();
      expect(watching.lookup("counts", `k${i}`)).toBeNull();
      binding.delete("counts", `k${i}`);
      binding.commit();
    }
    expect([binding.lookup("counts", "old"), watching.lookup("counts", "old")]).toEqual(["1", null]);
    let written = 0;
    for (; written < 100 && watching.update("counts", `mine ${written}`, "1") === 0; written++) watching.commit();
    expect(written, "twice the map's limit, however often it has changed").toBeLessThanOrEqual(8);
  });
});

describe("writes", () => {
  it("are seen by their own view at once, and by others once they are committed", () => {
    const { enforce } = maps({ a: 1, b: 1 });
    const [mine, other] = [enforce(), enforce()];
    mine.update("counts", "a", "2");
    mine.delete("counts", "b");
    expect([mine.lookup("counts", "a"), mine.lookup("counts", "b")]).toEqual(["2", null]);
    expect([other.lookup("counts", "a"), other.lookup("counts", "b")]).toEqual(["1", "1"]);
    expect(mine.commit()).toEqual([
      { map: "counts", key: "a", value: "2" },
      { map: "counts", key: "b", value: null },
    ]);
    expect([other.lookup("counts", "a"), other.lookup("counts", "b")]).toEqual(["2", null]);
    expect(mine.commit()).toEqual([]);
  });

  it("are discarded with the space that they reserved", () => {
    const { enforce } = maps();
    const [mine, other] = [enforce(), enforce()];
    for (const key of ["a", "b", "c", "d"]) mine.update("counts", key, "1");
    expect(other.update("counts", "e", "1")).toBe(-ERRNO.E2BIG);
    mine.drop();
    expect(mine.lookup("counts", "a")).toBeNull();
    expect(other.update("counts", "e", "1")).toBe(0);
  });

  it("of an audit view are visible to that view only, before and after their commit", () => {
    const { counts, enforce, audit } = maps({ a: 1 });
    const [mine, other, enforcing] = [audit(), audit(), enforce()];
    mine.update("counts", "a", "2");
    mine.commit();
    mine.delete("counts", "a");
    mine.commit();
    mine.update("counts", "b", "3");
    expect([mine.lookup("counts", "a"), mine.lookup("counts", "b")]).toEqual([null, "3"]);
    expect([other.lookup("counts", "a"), enforcing.lookup("counts", "b")]).toEqual(["1", null]);
    expect(counts.used.entries).toBe(1);
  });

  it("of an audit view take no room from anybody else, and are bounded all the same", () => {
    const { enforce, audit } = maps();
    const [mine, enforcing] = [audit(), enforce()];
    for (const key of ["a", "b", "c", "d"]) expect(mine.update("counts", key, "1")).toBe(0);
    expect(mine.update("counts", "e", "1")).toBe(-ERRNO.E2BIG);
    mine.commit();
    expect(mine.update("counts", "e", "1")).toBe(-ERRNO.E2BIG);
    for (const key of ["a", "b", "c", "d"]) expect(enforcing.update("counts", key, "1")).toBe(0);
  });

  it("can be repeated over the same configuration", () => {
    const first = maps({ a: 1 });
    const view = first.audit();
    view.update("counts", "a", "2");
    const writes = view.commit();
    const again = maps({ a: 1 }).audit();
    again.apply(writes);
    expect(again.lookup("counts", "a")).toBe("2");
  });
});

const operation = fc.record({
  view: fc.nat(2),
  act: fc.constantFrom("update", "delete", "commit", "drop"),
  key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  value: fc.constantFrom("1", '"two"', '{"three":[3]}'),
});

describe("whatever views do", () => {
  it("an enforcing view answers like an audit view that is the only one of its map", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const [enforcing, audit] = [maps({ a: 1 }).enforce(), maps({ a: 1 }).audit()];
        for (const { act, key, value } of operations) {
          const run = (view: MapView) => {
            if (act === "update") return view.update("counts", key, value);
            return act === "delete" ? view.delete("counts", key) : view[act]();
          };
          expect(run(audit)).toEqual(run(enforcing));
          expect(audit.lookup("counts", key)).toBe(enforcing.lookup("counts", key));
        }
      }),
    );
  });

  it("the size that a map reports is right, and nothing is reserved once no write is pending", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const { counts, enforce } = maps();
        const views = [enforce(), enforce(), enforce()];
        const keys = new Map<string, string>();
        for (const { view, act, key, value } of operations) {
          const its = views[view] as MapView;
          if (act === "update") its.update("counts", key, value);
          else if (act === "delete") its.delete("counts", key);
          else if (act === "drop") its.drop();
          else
            for (const write of its.commit())
              write.value === null ? keys.delete(write.key) : keys.set(write.key, write.value);
        }
        for (const view of views) view.drop();
        const bytes = [...keys].reduce((sum, [key, value]) => sum + 2 * (key.length + value.length), 0);
        expect({ ...counts.used }).toEqual({ entries: keys.size, bytes });
        expect({ ...counts.reserved }).toEqual({ entries: 0, bytes: 0 });
      }),
    );
  });
});
