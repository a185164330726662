import { expect, it } from "vitest";
import { PROGRAM_TYPE_ROWS } from "../../../../src/bpf/tables/program-types.js";
import { attachmentsOf } from "../../../../src/loaded/detach/attachment.js";
import type { LinkTarget } from "../../../../src/loaded/model/objects.js";
import type { Place } from "../../../../src/loaded/model/places.js";
import { LINK_TYPES } from "../../../../src/loaded/views/link-fields.js";
import {
  LINK,
  link,
  map,
  NETNS,
  PROGRAM,
  pin,
  placed,
  program,
  removalsIn,
  scanOf,
} from "../../../support/detachable.js";

const on = { program: 7, at: "interface", ifindex: 3, name: "eth0", netns: NETNS } as const;
const FILTER = { listed: { ifindex: 3, parent: 1 }, block: null, info: 1, chain: 0, handle: 1 };

const PLACES: readonly (readonly [type: string, place: Place, way: string | null, ...said: RegExp[]])[] = [
  [
    "cgroup_skb",
    { program: 7, at: "cgroup", attachType: "cgroup_inet_ingress", path: "/a", cgroupId: 2n },
    "BPF_PROG_DETACH",
    /opens .* packets that it drops pass/,
    /BPF_F_ALLOW_MULTI/,
  ],
  [
    "sk_msg",
    { program: 7, at: "map", attachType: "sk_msg_verdict", map: 4 },
    "BPF_PROG_DETACH",
    /opens .* messages that it drops/,
  ],
  [
    "flow_dissector",
    { program: 7, at: "netns", attachType: "flow_dissector", netns: NETNS },
    "BPF_PROG_DETACH",
    /dissects packets itself/,
  ],
  ["xdp", { ...on, attachType: "xdp" }, "RTM_SETLINK", /opens/],
  ["sched_cls", { ...on, attachType: "tcx_egress" }, "BPF_PROG_DETACH", /opens/],
  ["sched_cls", { ...on, attachType: "netkit_primary" }, "BPF_PROG_DETACH", /opens/],
  ["sched_cls", { ...on, attachType: "tc_ingress", filter: FILTER }, "RTM_DELTFILTER", /opens/],
  [
    "sched_cls",
    { ...on, attachType: "tc_ingress", filter: { ...FILTER, block: 22 } },
    "RTM_DELTFILTER",
    /opens/,
    /all interfaces that share block 22/,
  ],
  ["sched_act", { program: 7, at: "action", index: 2, netns: NETNS }, "RTM_DELACTION", /opens/],
  [
    "lwt_xmit",
    {
      ...{ program: 7, at: "route", attachType: "lwt_xmit", destination: "10.0.0.0/8", name: "x", netns: NETNS },
      isCertain: true,
    },
    "RTM_DELROUTE",
    /opens/,
    /the route goes with its program/,
  ],
  [
    "lwt_in",
    {
      ...{ program: 7, at: "route", attachType: "lwt_in", destination: "10.0.0.0/8", name: "x", netns: NETNS },
      isCertain: false,
    },
    null,
    /does not say which program the route has/,
  ],
  ["xdp", { program: 7, at: "element", map: 4, index: 1 }, "BPF_MAP_DELETE_ELEM", /opens/],
  ["xdp", { program: 7, at: "element", map: 5, index: 1 }, "BPF_MAP_DELETE_ELEM", /opens/, /redirected to its device/],
  [
    "kprobe",
    { program: 7, at: "event", event: "kprobe", name: "vfs_read", offset: 0, pid: 12 },
    null,
    /only when process 12 closes/,
  ],
];

it.each(PLACES.map(([type, place, ...rest]) => [type, place.at, place, ...rest] as const))(
  "takes a %s program from its %s",
  (...row) => {
    const [type, , place, way, ...said] = row;
    const removals = removalsIn(placed(type, place));
    expect(removals).toHaveLength(1);
    const [removal] = removals;
    expect([removal?.way, removal?.attachment]).toEqual([way, { by: "target", place }]);
    const words = removal?.obstacle === null ? removal.consequences : [removal?.obstacle];
    expect(words).toEqual(said.map((one) => expect.stringMatching(one)));
  },
);

/** The types of links that the kernel detaches, and the field that is 0 then. */
const DETACHED: Readonly<Record<string, LinkTarget>> = {
  cgroup: { cgroup_id: 0n },
  netns: { netns_ino: 0 },
  xdp: { ifindex: 0 },
  tcx: { ifindex: 0 },
  netkit: { ifindex: 0 },
  sockmap: { map_id: null },
  struct_ops: { map_id: null },
  netfilter: {},
};

it.each(LINK_TYPES.map(({ type }) => type))("detaches a link of type %s, or says why not", (type) => {
  const target = { cgroup_id: 5n, netns_ino: NETNS, ifindex: 3, map_id: 4 };
  const scan = scanOf({ programs: [program("xdp")], links: [link(type, target)] });
  for (const object of [PROGRAM, LINK]) {
    const [removal, ...others] = removalsIn(scan, object);
    expect([removal?.attachment.by, others]).toEqual(["link", []]);
    if (type in DETACHED) {
      expect([removal?.way, removal?.obstacle]).toEqual(["BPF_LINK_DETACH", null]);
      expect(removal?.consequences.at(-1)).toMatch(/^the link stays listed/);
    } else expect([removal?.way, removal?.obstacle]).toEqual([null, expect.stringContaining("link")]);
  }
});

it.each(Object.entries(DETACHED).filter(([, target]) => Object.keys(target).length > 0))(
  "does not detach a link of type %s again",
  (type, target) => {
    const [removal] = removalsIn(scanOf({ programs: [program("xdp")], links: [link(type, target)] }), LINK);
    expect([removal?.way, removal?.obstacle]).toEqual([null, "it is detached already"]);
  },
);

it("says of each program type whose result decides what a removal opens", () => {
  for (const [type, { verdict }] of PROGRAM_TYPE_ROWS) {
    const isDeciding = verdict !== "ignored" && (verdict === "always" || verdict.decides === "outcome");
    const [removal] = removalsIn(placed(type, { ...on, attachType: "xdp" }));
    const opens = removal?.consequences.filter((one) => one.startsWith("this opens")) ?? [];
    expect([type, opens.length]).toEqual([type, isDeciding ? 1 : 0]);
  }
});

it("has a target once more than its links only if it is attached there without one too", () => {
  const place = { program: 7, at: "cgroup", attachType: "cgroup_device", path: "/a", cgroupId: 2n } as const;
  const links = [link("cgroup", { cgroup_id: 2n, attach_type: "cgroup_device" })];
  const ways = (...places: readonly Place[]) =>
    removalsIn(scanOf({ programs: [program("cgroup_device")], links, places })).map(({ way }) => way);
  expect(ways(place)).toEqual(["BPF_LINK_DETACH"]);
  expect(ways(place, place)).toEqual(["BPF_LINK_DETACH", "BPF_PROG_DETACH"]);
  expect(ways(place, { ...place, cgroupId: 3n })).toEqual(["BPF_LINK_DETACH", "BPF_PROG_DETACH"]);
});

it("unregisters a structure as a whole: by its link, or by the element of its map", () => {
  const [first, second] = [7, 8].map((id): Place => ({ program: id, at: "struct_ops", map: 4, member: `f${id}` }));
  const places = [first!, second!];
  const parts = {
    programs: [program("struct_ops"), program("struct_ops", { id: 8 })],
    maps: [map("struct_ops")],
    places,
  };
  for (const object of [PROGRAM, { kind: "map", id: 4 } as const]) {
    const [removal] = removalsIn(scanOf(parts), object);
    expect([removal?.way, removal?.attachment]).toEqual(["BPF_MAP_DELETE_ELEM", { by: "structure", map: 4, places }]);
    expect(removal?.consequences).toEqual([
      "this opens what the program closed: the kernel takes its default in place of these functions",
      "map 4 has 2 programs, all of which are unregistered",
    ]);
    const links = [{ ...link("struct_ops", { map_id: 4 }), program: null }];
    expect(removalsIn(scanOf({ ...parts, links }), object)[0]?.way).toBe("BPF_LINK_DETACH");
  }
});

it("removes pins of programs, maps and links, in each mount namespace", () => {
  for (const kind of ["program", "map", "link"] as const) {
    const id = { program: 7, map: 4, link: 9 }[kind];
    const references = new Map([[`${kind}:${id}`, [pin("/sys/fs/bpf/a"), pin("/a", 4026532000)]]]);
    const parts = { programs: [program("xdp")], maps: [map("hash")], links: [link("iter", {})] };
    const removals = removalsIn(scanOf({ ...parts, references }), { kind, id });
    expect(removals.filter(({ way }) => way === "unlink").map(({ consequences }) => consequences)).toEqual([
      [expect.stringContaining(kind === "link" ? "its program is detached" : `the ${kind} stays while`)],
      [expect.stringContaining("while")],
    ]);
  }
});

it("has nothing of an object that is not there", () => {
  for (const kind of ["program", "map", "link"] as const) expect(attachmentsOf(scanOf({}), { kind, id: 1 })).toBeNull();
});
