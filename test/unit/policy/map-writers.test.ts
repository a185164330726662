import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../src/errno.js";
import { PolicyMap } from "../../../src/policy/maps/map.js";
import { MapView } from "../../../src/policy/maps/map-view.js";
import type { Mode } from "../../../src/policy/model/mode.js";

const EPERM = -ERRNO.EPERM;
const E2BIG = -ERRNO.E2BIG;
const ENOENT = -ERRNO.ENOENT;

/** Two attachments of the owning domain, one that is named itself, and one that is not a writer. */
const AS = new Map([
  ["owner", "a"],
  ["owner2", "a"],
  ["listed", "listed"],
]);
const LIMITS = { entries: 8, bytes: 400 };

function maps(initial: Record<string, unknown> = {}) {
  const counts = new PolicyMap("counts", initial, LIMITS, { as: AS, count: 2 });
  const all = new Map([["counts", counts]]);
  const view = (attachment: string, mode: Mode = "enforce") => new MapView(all, mode, attachment);
  return { counts, view };
}

const ROLES = [
  { attachment: "owner", writes: true },
  { attachment: "owner2", writes: true },
  { attachment: "listed", writes: true },
  { attachment: "other", writes: false },
];
const MODES = ["enforce", "audit"] as const;

describe("each operation on a map", () => {
  for (const { attachment, writes } of ROLES)
    for (const mode of MODES)
      it(`is ${writes ? "done" : "denied where it writes"} for ${attachment} in ${mode}`, () => {
        const { counts, view } = maps({ old: 1 });
        const its = view(attachment, mode);
        const done = (errno: number) => (writes ? errno : EPERM);
        expect(its.lookup("counts", "old")).toBe("1");
        expect(its.update("counts", "old", "2")).toBe(done(0));
        expect(its.lookup("counts", "old")).toBe(writes ? "2" : "1");
        expect(its.update("counts", "new", "3")).toBe(done(0));
        expect(its.update("counts", "new", "not JSON")).toBe(done(-ERRNO.EINVAL));
        expect(its.delete("counts", "old")).toBe(done(0));
        expect(its.delete("counts", "none")).toBe(done(ENOENT));
        for (const text of ["1", "not JSON"]) expect(its.update("no map", "old", text)).toBe(ENOENT);
        expect(its.delete("no map", "old")).toBe(ENOENT);
        expect(its.commit().length).toBe(writes ? 2 : 0);
        const changed = writes && mode === "enforce";
        expect([counts.get("old"), counts.get("new")]).toEqual(changed ? [null, "3"] : ["1", null]);
        expect(counts.ownerOf("new")).toBe(changed ? AS.get(attachment) : null);
      });
});

/** How many new keys a view may add. */
function room(view: MapView, prefix: string): number {
  let added = 0;
  while (added < 100 && view.update("counts", `${prefix}${added}`, "1") === 0) added++;
  return added;
}

describe("a writer's share", () => {
  for (const mode of MODES)
    for (const committed of [true, false])
      it(`is an equal part, which nobody else can fill: in ${mode}, ${committed ? "after a commit" : "in one decision"}`, () => {
        const { view } = maps();
        const [owner, owner2, listed] = [view("owner", mode), view("owner2"), view("listed", mode)];
        expect(room(listed, "l")).toBe(4);
        if (committed) listed.commit();
        expect(room(listed, "m")).toBe(0);
        expect(room(owner, "o")).toBe(4);
        if (committed) owner.commit();
        // two attachments of one domain share its part; what is in audit takes nothing from it
        expect(room(owner2, "p")).toBe(mode === "enforce" ? 0 : 4);
      });

  it("is of bytes, too", () => {
    const { view } = maps();
    const [owner, listed] = [view("owner"), view("listed")];
    const text = JSON.stringify("x".repeat(95));
    expect(owner.update("counts", "a", text)).toBe(0);
    expect(owner.update("counts", "b", "1")).toBe(0);
    expect(owner.update("counts", "c", "1")).toBe(E2BIG);
    expect(owner.update("counts", "b", "11")).toBe(E2BIG);
    expect(listed.update("counts", "c", "1")).toBe(0);
  });

  it("has room again once its writer deletes, or another one writes over its entries", () => {
    const { counts, view } = maps();
    const [owner, listed] = [view("owner"), view("listed")];
    room(owner, "k");
    owner.commit();
    expect(owner.update("counts", "more", "1")).toBe(E2BIG);
    expect(owner.update("counts", "k0", "2"), "an entry of its own is changed in place").toBe(0);
    expect(owner.delete("counts", "k1")).toBe(0);
    expect(owner.update("counts", "more", "1")).toBe(0);
    owner.commit();
    expect(listed.update("counts", "k2", "3")).toBe(0);
    listed.commit();
    expect([counts.ownerOf("k0"), counts.ownerOf("k2")]).toEqual(["a", "listed"]);
    expect([counts.holdingOf("a").used.entries, counts.holdingOf("listed").used.entries]).toEqual([3, 1]);
    expect(room(owner, "n")).toBe(1);
    owner.drop();
    expect(room(listed, "n")).toBe(3);
  });

  it("does not count what the map began with, until it is written over", () => {
    const { counts, view } = maps({ f0: 1, f1: 1 });
    const owner = view("owner");
    expect(owner.update("counts", "f0", "2")).toBe(0);
    expect(room(owner, "k")).toBe(3);
    owner.commit();
    expect([counts.ownerOf("f0"), counts.ownerOf("f1")]).toEqual(["a", null]);
    expect(view("listed").delete("counts", "f1")).toBe(0);
  });

  const operation = fc.record({
    view: fc.nat(3),
    act: fc.constantFrom("update", "update", "update", "delete", "commit", "drop"),
    key: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i"),
    value: fc.constantFrom("1", '"two"', `"${"x".repeat(60)}"`),
  });

  it("is never exceeded, and the counted sizes are those of the entries, whatever views do", { tags: ["deep"] }, () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
        const { counts, view } = maps({ a: 1, b: 2 });
        const views = ["owner", "owner2", "listed", "other"].map((name) => view(name));
        const owners = new Map<string, string>();
        for (const { view: index, act, key, value } of operations) {
          const its = views[index] as MapView;
          if (act === "update") its.update("counts", key, value);
          else if (act === "delete") its.delete("counts", key);
          else if (act === "drop") its.drop();
          else
            for (const write of its.commit()) {
              owners.delete(write.key);
              if (write.value !== null) owners.set(write.key, AS.get(ROLES[index]?.attachment as string) as string);
            }
          for (const writer of ["a", "listed"]) {
            const keys = [...owners].filter(([, owner]) => owner === writer).map(([one]) => one);
            const bytes = keys.reduce((sum, one) => sum + 2 * (one.length + (counts.get(one) as string).length), 0);
            expect({ ...counts.holdingOf(writer).used }).toEqual({ entries: keys.length, bytes });
            expect(keys.length).toBeLessThanOrEqual(4);
            expect(bytes).toBeLessThanOrEqual(200);
          }
          expect(counts.used.entries).toBeLessThanOrEqual(8);
        }
        for (const its of views) its.drop();
        for (const writer of ["a", "listed"])
          expect({ ...counts.holdingOf(writer).reserved }).toEqual({ entries: 0, bytes: 0 });
      }),
    );
  });

  it("is the same in audit as in enforcement for the only view of a map", () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const [enforcing, audit] = [maps({ a: 1 }).view("owner"), maps({ a: 1 }).view("owner", "audit")];
        for (const { act, key, value } of operations) {
          const run = (its: MapView) => {
            if (act === "update") return its.update("counts", key, value);
            return act === "delete" ? its.delete("counts", key) : its[act]();
          };
          expect(run(audit)).toEqual(run(enforcing));
        }
      }),
    );
  });
});
