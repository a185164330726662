import { expect, it } from "vitest";
import { compareScans } from "../../../../src/loaded/compare/compare.js";
import type { LinkReport, MapReport, ProgramReport } from "../../../../src/loaded/model/objects.js";
import type { Place } from "../../../../src/loaded/model/places.js";
import type { Reference } from "../../../../src/loaded/model/references.js";
import type { Scan } from "../../../../src/loaded/model/scan.js";

const NETNS = 4026531840;

function program(id: number, name = "limit", tag = "0011223344556677"): ProgramReport {
  return {
    ...{ id, type: "sched_cls", name, tag, loadTime: BigInt(id), uid: 0, gplCompatible: true, maps: [], btfId: null },
    ...{ loadedFor: null, translated: 16, jited: 0, verifiedInsns: 2, runs: { count: 0n, nanoseconds: 0n } },
    device: null,
  };
}

function map(id: number, name = "buckets"): MapReport {
  return {
    ...{ id, type: "hash", name, keySize: 4, valueSize: 8, maxEntries: 3, flags: 0, frozen: false, btfId: null },
    ...{ kernelType: null, device: null },
  };
}

const on = (owner: number, name: string, netns = NETNS): Place => {
  return { program: owner, at: "interface", attachType: "tcx_ingress", ifindex: 3, name, netns };
};
const link = (id: number, owner: number, target: LinkReport["target"]): LinkReport => {
  return { id, type: "kprobe_multi", program: owner, target };
};
const pin = (path: string): Reference => ({ by: "pin", path, mountNamespace: null });

function scan(parts: Partial<Scan>, bootId: string | null = "one"): Scan {
  return {
    ...{ bootId, bootTime: 0n, programs: [], maps: [], links: [], structOps: [], places: [], netns: NETNS },
    ...{ references: new Map(), views: [], ...parts },
  };
}

/** Each difference in a word: `moved program 1 2`, by its ids before and after. */
function differences(before: Scan, after: Scan): readonly string[] {
  return compareScans(before, after).differences.map((difference) => {
    const states = [difference.before, difference.after].filter((state) => state !== null);
    return [difference.change, states[0]?.kind, ...states.map(({ object }) => object.id)].join(" ");
  });
}

it("finds nothing in equal scans, of one boot or of two", () => {
  const parts = {
    ...{ programs: [program(1), program(2)], maps: [map(4)], places: [on(1, "eth0")] },
    ...{ links: [link(7, 2, { count: 3, missed: 1n })], references: new Map([["map:4", [pin("/a")]]]) },
  };
  expect(compareScans(scan(parts), scan(parts))).toEqual({ isSameBoot: true, differences: [] });
  expect(compareScans(scan(parts), scan(parts, "two"))).toEqual({ isSameBoot: false, differences: [] });
  expect(compareScans(scan(parts, null), scan(parts, null)).isSameBoot).toBe(false);
});

it("finds what is new, moved and gone by ids within one boot", () => {
  const before = scan({
    ...{ programs: [program(1), program(2), program(3)], maps: [map(4)], places: [on(1, "eth0"), on(2, "eth0")] },
    references: new Map([["map:4", [pin("/a")]]]),
  });
  const after = scan({
    ...{ programs: [program(1), program(2), program(5)], maps: [map(4)], places: [on(1, "eth0"), on(2, "eth1")] },
    references: new Map([["map:4", [pin("/b")]]]),
  });
  expect(differences(before, after)).toEqual(["new program 5", "moved program 2 2", "moved map 4 4", "gone program 3"]);
});

it("takes a link whose program was replaced for moved, and its counters for nothing", () => {
  const was = scan({ programs: [program(1), program(2)], links: [link(7, 1, { count: 3, missed: 1n })] });
  const counted = scan({ programs: [program(1), program(2)], links: [link(7, 1, { count: 3, missed: 9n })] });
  const replaced = scan({ programs: [program(1), program(2)], links: [link(7, 2, { count: 3, missed: 1n })] });
  expect(differences(was, counted)).toEqual([]);
  expect(differences(was, replaced)).toEqual(["moved program 1 1", "moved program 2 2", "moved link 7 7"]);
});

it("does not take another program for the one that had its id", () => {
  const [was, is] = [scan({ programs: [program(1)] }), scan({ programs: [program(1, "limit", "ff11223344556677")] })];
  expect(differences(was, is)).toEqual(["new program 1", "gone program 1"]);
});

it("matches objects of two boots by what they are, first those in the same place", () => {
  const before = scan({ programs: [program(1), program(2)], maps: [map(4)], places: [on(1, "eth0"), on(2, "eth1")] });
  const same = { programs: [program(11), program(12)], maps: [map(14)] };
  const swapped = scan({ ...same, places: [on(11, "eth1"), on(12, "eth0")] }, "two");
  expect(differences(before, swapped)).toEqual([]);
  const elsewhere = scan({ ...same, places: [on(11, "eth1"), on(12, "eth2")] }, "two");
  expect(differences(before, elsewhere)).toEqual(["moved program 1 12"]);
  const third = scan({ ...same, programs: [...same.programs, program(13)], places: swapped.places }, "two");
  expect(differences(before, third)).toEqual(["new program 13"]);
  expect(differences(third, before)).toEqual(["gone program 13"]);
});

it("compares the links of two boots by their targets without the kernel's numbers", () => {
  const before = scan({ programs: [program(1)], links: [link(7, 1, { ifindex: 3, attach_type: "tcx_ingress" })] });
  const target = (attachType: string) => ({ ifindex: 8, attach_type: attachType });
  const same = scan({ programs: [program(2)], links: [link(1, 2, target("tcx_ingress"))] }, "two");
  expect(differences(before, same)).toEqual([]);
  const other = scan({ programs: [program(2)], links: [link(1, 2, target("tcx_egress"))] }, "two");
  expect(differences(before, other)).toEqual(["new link 1", "moved program 1 2", "gone link 7"]);
});

it("knows another network namespace by its number in one boot, and by whose it is in two", () => {
  const before = scan({ programs: [program(1)], places: [on(1, "eth0", 5)] });
  const after = { programs: [program(1)], places: [on(1, "eth0", 6)] };
  expect(differences(before, scan(after))).toEqual(["moved program 1 1"]);
  expect(differences(before, scan(after, "two"))).toEqual([]);
  expect(differences(before, scan({ ...after, netns: 6 }, "two"))).toEqual(["moved program 1 1"]);
});
