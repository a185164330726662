import { expect, it } from "vitest";
import { confirmed } from "../../src/loaded/detach/confirm.js";
import { remove } from "../../src/loaded/detach/remove.js";
import type { Place } from "../../src/loaded/model/places.js";
import type { ObjectName } from "../../src/loaded/model/references.js";
import type { Scan } from "../../src/loaded/model/scan.js";
import { LINK, link, map, NETNS, PROGRAM, pin, placed, program, removalsIn, scanOf } from "../support/detachable.js";

/** What changed between two looks at an object that is about to be removed: nothing may be removed then. */

const tcx: Place = {
  ...{ program: 7, at: "interface", attachType: "tcx_ingress", ifindex: 3, name: "eth0", netns: NETNS },
};
const BEFORE = placed("sched_cls", tcx);
const LINKED = scanOf({ programs: [program("xdp")], links: [link("xdp", { ifindex: 3 })] });
const pins = (...paths: readonly string[]) => new Map([["map:4", paths.map((path) => pin(path))]]);
const PINNED = scanOf({ maps: [map("hash")], references: pins("/sys/fs/bpf/a") });
const MAP: ObjectName = { kind: "map", id: 4 };

const with7 = (parts: Parameters<typeof program>[1]) => ({ ...BEFORE, programs: [program("sched_cls", parts)] });

const CHANGED: readonly (readonly [what: string, before: Scan, after: Scan, object: ObjectName, reason: string])[] = [
  ["the program went", BEFORE, { ...BEFORE, programs: [] }, PROGRAM, "program 7 has gone"],
  ["the id names a program with another tag", BEFORE, with7({ tag: "8899aabbccddeeff" }), PROGRAM, "another one"],
  ["the id names the same program, loaded again", BEFORE, with7({ loadTime: 6n }), PROGRAM, "another one"],
  ["the id names another user's program", BEFORE, with7({ uid: 1000 }), PROGRAM, "another one"],
  [
    "the id names a program of another type",
    BEFORE,
    { ...BEFORE, programs: [program("sched_act")] },
    PROGRAM,
    "another one",
  ],
  ["the place vanished", BEFORE, { ...BEFORE, places: [] }, PROGRAM, "no longer where it was"],
  [
    "it moved to another interface",
    BEFORE,
    { ...BEFORE, places: [{ ...tcx, ifindex: 4 } as Place] },
    PROGRAM,
    "no longer where it was",
  ],
  [
    "it moved to another namespace",
    BEFORE,
    { ...BEFORE, places: [{ ...tcx, netns: 5 } as Place] },
    PROGRAM,
    "no longer where it was",
  ],
  [
    "another program is there",
    BEFORE,
    { ...BEFORE, places: [{ ...tcx, program: 8 }] },
    PROGRAM,
    "no longer where it was",
  ],
  ["the machine booted", BEFORE, { ...BEFORE, bootId: "two" }, PROGRAM, "booted"],
  ["the link went", LINKED, { ...LINKED, links: [] }, LINK, "link 9 has gone"],
  [
    "the link has another program",
    LINKED,
    { ...LINKED, links: [{ ...link("xdp", { ifindex: 3 }), program: 8 }] },
    LINK,
    "another one",
  ],
  [
    "the link's program is another one under the same id",
    LINKED,
    { ...LINKED, programs: [program("xdp", { loadTime: 6n })] },
    LINK,
    "program 7 is another one",
  ],
  [
    "the link was detached meanwhile",
    LINKED,
    { ...LINKED, links: [link("xdp", { ifindex: 0 })] },
    LINK,
    "no longer where it was",
  ],
  [
    "the link is on another interface",
    LINKED,
    { ...LINKED, links: [link("xdp", { ifindex: 4 })] },
    LINK,
    "where it was",
  ],
  ["the pin was removed", PINNED, { ...PINNED, references: pins() }, MAP, "no longer where it was"],
  ["the pin was renamed", PINNED, { ...PINNED, references: pins("/sys/fs/bpf/b") }, MAP, "no longer where it was"],
  ["the id names another map", PINNED, { ...PINNED, maps: [map("array")] }, MAP, "another one"],
];

it.each(CHANGED)("removes nothing if %s", (_, before, after, object, reason) => {
  const [removal] = removalsIn(before, object);
  expect(removal).toBeDefined();
  expect(() => confirmed(before, after, object, removal!)).toThrow(
    expect.objectContaining({ code: "SCAN_NOT_DETACHED", message: expect.stringContaining(reason) }),
  );
});

it.each([
  ["program", BEFORE, PROGRAM],
  ["link", LINKED, LINK],
  ["pin", PINNED, MAP],
] as const)("removes a %s that did not change, also if others did", (_, before, object) => {
  const [removal] = removalsIn(before, object);
  const after = {
    ...before,
    programs: [...before.programs, program("xdp", { id: 20 })],
    links: [...before.links.map((one) => ({ ...one, target: { ...one.target, missed: 4n } })), link("tcx", {}, 30)],
  };
  expect(confirmed(before, after, object, removal!).way).toBe(removal?.way);
});

it("calls nothing of the kernel for what cannot be removed", () => {
  const scan = scanOf({ programs: [program("kprobe")], links: [link("perf_event", { event: "unspec" })] });
  const [removal] = removalsIn(scan);
  expect(() => remove(PROGRAM, removal!)).toThrow(expect.objectContaining({ code: "SCAN_NOT_DETACHED" }));
});
