import { expect, it } from "vitest";
import { AttachedPlaces } from "../../../../src/cli/output/attached-places.js";
import type { LinkReport, ProgramReport } from "../../../../src/loaded/model/objects.js";
import type { Place } from "../../../../src/loaded/model/places.js";

const OWN = 4026531840;
const placesOf = (places: readonly Place[], links: readonly LinkReport[]) =>
  new AttachedPlaces({ places, links, netns: OWN });
const onLoopback = { program: 37, at: "interface", attachType: "xdp", ifindex: 1, name: "lo" } as const;
const LINK: LinkReport = { id: 2, type: "xdp", program: 37, target: { ifindex: 1 } };

it("names an interface only where its own network namespace tells of the program", () => {
  const elsewhere = placesOf([{ ...onLoopback, netns: 4026532001 }], [LINK]);
  expect(elsewhere.ofProgram(37)).toEqual(["xdp on lo of network namespace 4026532001"]);
  expect(elsewhere.ofLink(LINK)).toBe("xdp on lo of network namespace 4026532001");
  expect(placesOf([{ ...onLoopback, netns: OWN }], [LINK]).ofProgram(37)).toEqual(["xdp on lo"]);
  const ofAnother = placesOf([{ ...onLoopback, program: 38, netns: OWN }], [LINK]);
  expect(ofAnother.ofProgram(37)).toEqual(["xdp on interface 1"]);
  expect(ofAnother.ofLink(LINK)).toBe("xdp on interface 1");
});

it("names both interfaces where two namespaces tell of the program under one number", () => {
  const both = placesOf(
    [
      { ...onLoopback, netns: OWN },
      { ...onLoopback, netns: 7 },
    ],
    [LINK],
  );
  expect(both.ofLink(LINK)).toBe("xdp on lo or xdp on lo of network namespace 7");
});

const ROUTE = { at: "route", attachType: "lwt_xmit", destination: "10.1.0.0/16", name: null } as const;
const WORDS = [
  [{ at: "cgroup", attachType: "cgroup_device", path: "/a\u001b", cgroupId: 9n }, "cgroup_device of cgroup /a\\u{1b}"],
  [{ at: "map", attachType: "sk_msg_verdict", map: 4 }, "sk_msg_verdict of map 4"],
  [{ at: "event", event: "kprobe", name: "vfs_fsync", offset: 8, pid: 4 }, "kprobe vfs_fsync+8 of process 4"],
  [{ at: "event", event: "kprobe", name: null, offset: 0, pid: 4 }, "kprobe unknown of process 4"],
  [{ at: "element", map: 4, index: 3 }, "element 3 of map 4"],
  [{ at: "netns", attachType: "flow_dissector", netns: OWN }, "flow_dissector of this network namespace"],
  [{ at: "netns", attachType: "flow_dissector", netns: 7 }, "flow_dissector of network namespace 7"],
  [{ at: "action", index: 3, netns: OWN }, "tc action 3 of this network namespace"],
  [{ ...ROUTE, netns: OWN, isCertain: true }, "lwt_xmit of route 10.1.0.0/16"],
  [{ ...ROUTE, netns: 7, isCertain: false }, "perhaps lwt_xmit of route 10.1.0.0/16 of network namespace 7"],
  [{ at: "interface", attachType: "tcx_egress", ifindex: 3, name: null, netns: OWN }, "tcx_egress on interface 3"],
] as const;

it("says of each kind of place where it is", () => {
  for (const [place, words] of WORDS) expect(placesOf([{ program: 1, ...place }], []).ofProgram(1)).toEqual([words]);
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
  expect(placesOf([cgroup], [link, other]).ofProgram(1)).toEqual([
    "cgroup_inet_egress of cgroup /a",
    "cgroup_inet_egress of cgroup 10",
  ]);
});

it("says how a program can be attached where the kernel shows it nowhere, unless it is attached elsewhere", () => {
  const program = { id: 1, type: "socket_filter" } as ProgramReport;
  const everywhere = ["SO_ATTACH_BPF", "PACKET_FANOUT", "SO_REUSEPORT", "TUN", "xt_bpf"];
  const link: LinkReport = { id: 1, type: "perf_event", program: 2, target: { event: "event" } };
  const places = placesOf([], [link]);
  expect(places.unseen(program)).toEqual(everywhere);
  expect(places.unseen({ ...program, type: "perf_event" })).toEqual(["PERF_EVENT_IOC_SET_BPF"]);
  expect(places.unseen({ ...program, id: 2, type: "perf_event" })).toEqual([]);
  expect(places.unseen({ ...program, type: "xdp" })).toEqual([]);
  expect(placesOf([{ program: 1, at: "element", map: 4, index: 3 }], []).unseen(program)).toEqual([]);
});
