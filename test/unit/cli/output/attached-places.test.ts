import { expect, it } from "vitest";
import { attachedLink, attachedPlaces } from "../../../../src/cli/output/attached-places.js";
import type { LinkReport } from "../../../../src/loaded/model/objects.js";
import type { Place } from "../../../../src/loaded/model/places.js";
import type { Scan } from "../../../../src/loaded/model/scan.js";

const OWN = 4026531840;
const scanOf = (places: readonly Place[], links: readonly LinkReport[]) =>
  ({ places, links, netns: OWN }) as unknown as Scan;
const onLoopback = { program: 37, at: "interface", attachType: "xdp", ifindex: 1, name: "lo" } as const;
const LINK: LinkReport = { id: 2, type: "xdp", program: 37, target: { ifindex: 1 } };

it("names an interface only where its own network namespace tells of the program", () => {
  const elsewhere = scanOf([{ ...onLoopback, netns: 4026532001 }], [LINK]);
  expect(attachedPlaces(37, elsewhere)).toEqual(["xdp on lo of network namespace 4026532001"]);
  expect(attachedLink(LINK, elsewhere)).toBe("xdp on lo of network namespace 4026532001");
  expect(attachedPlaces(37, scanOf([{ ...onLoopback, netns: OWN }], [LINK]))).toEqual(["xdp on lo"]);
  const ofAnother = scanOf([{ ...onLoopback, program: 38, netns: OWN }], [LINK]);
  expect(attachedPlaces(37, ofAnother)).toEqual(["xdp on interface 1"]);
  expect(attachedLink(LINK, ofAnother)).toBe("xdp on interface 1");
});

it("names both interfaces where two namespaces tell of the program under one number", () => {
  const both = scanOf(
    [
      { ...onLoopback, netns: OWN },
      { ...onLoopback, netns: 7 },
    ],
    [LINK],
  );
  expect(attachedLink(LINK, both)).toBe("xdp on lo or xdp on lo of network namespace 7");
});

const WORDS = [
  [{ at: "cgroup", attachType: "cgroup_device", path: "/a\u001b", cgroupId: 9n }, "cgroup_device of cgroup /a\\u{1b}"],
  [{ at: "map", attachType: "sk_msg_verdict", map: 4 }, "sk_msg_verdict of map 4"],
  [{ at: "event", event: "kprobe", name: "vfs_fsync", offset: 8, pid: 4 }, "kprobe vfs_fsync+8 of process 4"],
  [{ at: "event", event: "kprobe", name: null, offset: 0, pid: 4 }, "kprobe unknown of process 4"],
  [{ at: "element", map: 4, index: 3 }, "element 3 of map 4"],
  [{ at: "netns", attachType: "flow_dissector", netns: OWN }, "flow_dissector of this network namespace"],
  [{ at: "netns", attachType: "flow_dissector", netns: 7 }, "flow_dissector of network namespace 7"],
  [{ at: "interface", attachType: "tcx_egress", ifindex: 3, name: null, netns: OWN }, "tcx_egress on interface 3"],
] as const;

it("says of each kind of place where it is", () => {
  for (const [place, words] of WORDS)
    expect(attachedPlaces(1, scanOf([{ program: 1, ...place }], []))).toEqual([words]);
});

it("has a link once that its target tells of too, and its other links", () => {
  const cgroup = { program: 1, at: "cgroup", attachType: "cgroup_inet_egress", path: "/a", cgroupId: 9n } as const;
  const link: LinkReport = {
    id: 1,
    type: "cgroup",
    program: 1,
    target: { cgroup_id: 9n, attach_type: "cgroup_inet_egress" },
  };
  const other: LinkReport = { ...link, id: 2, target: { cgroup_id: 10n, attach_type: "cgroup_inet_egress" } };
  expect(attachedPlaces(1, scanOf([cgroup], [link, other]))).toEqual([
    "cgroup_inet_egress of cgroup /a",
    "cgroup_inet_egress of cgroup 10",
  ]);
});
