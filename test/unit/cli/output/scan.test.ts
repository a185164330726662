import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { linkPlace } from "../../../../src/cli/output/link-place.js";
import { scanLines } from "../../../../src/cli/output/scan-lines.js";
import { scanText } from "../../../../src/cli/output/scan-text.js";
import type { Reference } from "../../../../src/loaded/model/references.js";
import type { Scan } from "../../../../src/loaded/model/scan.js";
import { LISTED } from "../../../support/scans.js";
import { own } from "../../../support/workplace.js";

const SCAN: Scan = {
  bootId: "6f1d4f5e-3c1b-4a57-9d0e-2b1a70a3c1de",
  bootTime: 1_767_225_600_000_000_000n, // 2026-01-01
  programs: [
    {
      ...{ id: 37, type: "sched_cls", name: "limit", tag: "0011223344556677", loadTime: 61_000_000_000n, uid: 0 },
      ...{ gplCompatible: true, maps: [5], btfId: 3, loadedFor: null, translated: 64, jited: 80, verifiedInsns: 8 },
      ...{ runs: { count: 4n, nanoseconds: 900n }, device: { ifindex: 2, netns: 4026531840n } },
    },
    {
      ...{ id: 38, type: "tracing", name: "a\u001b[2J", tag: "8899aabbccddeeff", loadTime: 0n, uid: 1000 },
      ...{ gplCompatible: false, maps: [], btfId: null, loadedFor: { btfObject: 1, btfId: 77 }, translated: 16 },
      ...{ jited: 0, verifiedInsns: 2, runs: { count: 0n, nanoseconds: 0n }, device: null },
    },
  ],
  maps: [
    {
      ...{ id: 5, type: "hash", name: "buckets", keySize: 4, valueSize: 16, maxEntries: 1024, flags: 0, frozen: false },
      ...{ btfId: null, kernelType: null, device: null },
    },
  ],
  links: [
    { id: 2, type: "tcx", program: 37, target: { ifindex: 3, attach_type: "tcx_ingress" } },
    { id: 3, type: "cgroup", program: 38, target: { cgroup_id: 4321n, attach_type: "cgroup_inet_ingress" } },
  ],
  netns: 4026531840,
  places: [
    { program: 37, at: "interface", attachType: "tcx_ingress", ifindex: 3, name: "eth1", netns: 4026531840 },
    { program: 38, at: "cgroup", attachType: "cgroup_inet_ingress", path: "/a", cgroupId: 4321n },
    { program: 38, at: "map", attachType: "sk_msg_verdict", map: 5 },
    { program: 38, at: "element", map: 5, index: 0 },
    { program: 38, at: "event", event: "kprobe", name: null, offset: 0, pid: 4 },
    { program: 38, at: "netns", attachType: "flow_dissector", netns: 7 },
  ],
  references: new Map<string, readonly Reference[]>([
    [
      "program:37",
      [
        {
          by: "process",
          pid: 812,
          descriptors: 2,
          exe: "/usr/bin/limit\u001b",
          unit: "limit.service",
          container: null,
        },
        { by: "process", pid: 9, descriptors: 1, exe: null, unit: "x.scope", container: "ab".repeat(32) },
        { by: "pin", path: "/sys/fs/bpf/limit", mountNamespace: null },
        { by: "pin", path: "/pins/limit", mountNamespace: 4026532001 },
        { by: "link", id: 2 },
      ],
    ],
    ["program:38", [{ by: "link", id: 3 }]],
    ["link:2", [{ by: "pin", path: "/pins/link", mountNamespace: 4026532001 }]],
    ["map:5", [{ by: "program", id: 37 }]],
  ]),
  structOps: [{ map: 5, structure: "tcp_congestion_ops" }],
  views: [
    { name: "programs", complete: true, reason: null },
    { name: "links", complete: false, reason: "link 9: EPERM" },
  ],
};

it("prints lines that the published schema describes", () => {
  const schema = JSON.parse(readFileSync(own("schema/scan.schema.json"), "utf8"));
  const isValid = new Ajv2020({ allowUnionTypes: true, strictTypes: false }).compile(schema);
  const lines = [...scanLines(SCAN, LISTED, null)].map((line) => JSON.parse(JSON.stringify(line)));
  for (const line of lines) expect(isValid(line) ? null : isValid.errors).toBeNull();
  expect(lines.map(({ kind }) => kind)).toEqual([
    ...[
      "program",
      "program",
      "map",
      "link",
      "link",
      "place",
      "place",
      "place",
      "place",
      "place",
      "place",
      "struct_ops",
      "views",
    ],
  ]);
  expect(lines[0]).toMatchObject({ loaded_at: "2026-01-01T00:01:01.000Z", runs: { count: 4, nanoseconds: 900 } });
  expect(lines[4].target).toEqual({ cgroup_id: "4321", attach_type: "cgroup_inet_ingress" });
  expect(isValid({ ...lines[0], id: "37" })).toBe(false);
});

it("prints tables, and no control characters of names", () => {
  expect(scanText({ ...SCAN, places: SCAN.places.slice(0, 2) }, LISTED, null).split("\n")).toEqual([
    "PROGRAM  NAME        TYPE       TAG               LOADED (UTC)         UID   RUNS  ATTACHED                          HELD BY",
    "37       limit       sched_cls  0011223344556677  2026-01-01 00:01:01  0     4     tcx_ingress on eth1               limit\\u{1b}[812] of limit.service, process[9] of container abababababab, /sys/fs/bpf/limit and 1 more",
    "38       a\\u{1b}[2J  tracing    8899aabbccddeeff  2026-01-01 00:00:00  1000  0     cgroup_inet_ingress of cgroup /a  -",
    "",
    "MAP  NAME     TYPE  KEY  VALUE  ENTRIES  FROZEN  USED BY  HELD BY",
    "5    buckets  hash  4    16     1024     no      37       -",
    "",
    "LINK  TYPE    PROGRAM  ATTACHED                          HELD BY",
    "2     tcx     37       tcx_ingress on eth1               /pins/link of mount namespace 4026532001",
    "3     cgroup  38       cgroup_inet_ingress of cgroup /a  nothing visible",
    "",
    "MAP  STRUCT_OPS",
    "5    tcp_congestion_ops",
    "",
    "2 programs, 1 map, 2 links",
  ]);
});

it.each([
  ["raw_tracepoint", { tp_name: "sched_switch" }, "raw tracepoint sched_switch"],
  ["raw_tracepoint", { tp_name: null }, "raw tracepoint unknown"],
  ["perf_event", { event: "kretprobe", func_name: "vfs_fsync", offset: 0 }, "kretprobe vfs_fsync"],
  ["perf_event", { event: "uprobe", file_name: "/bin/sh", offset: 64 }, "uprobe /bin/sh+64"],
  ["perf_event", { event: "tracepoint", tp_name: "sys_enter" }, "tracepoint sys_enter"],
  ["perf_event", { event: "event", type: 1, config: 0n }, "perf event, type 1, config 0"],
  ["perf_event", {}, "perf event"],
  ["netfilter", { pf: 2, hooknum: 1, priority: -128, flags: 0 }, "netfilter ipv4 input, priority -128"],
  ["netfilter", { pf: 7, hooknum: 9, priority: 0, flags: 0 }, "netfilter family 7 hook 9, priority 0"],
  ["iter", { target_name: "task" }, "iterator task"],
  ["struct_ops", { map_id: 4 }, "struct_ops of map 4"],
  ["struct_ops", { map_id: null }, "struct_ops, detached"],
  ["tcx", { ifindex: 3, attach_type: "tcx_ingress" }, "tcx_ingress on interface 3"],
  ["tcx", { ifindex: 0, attach_type: "tcx_ingress" }, "tcx_ingress, detached"],
  ["xdp", { ifindex: 0 }, "xdp, detached"],
  ["cgroup", { cgroup_id: 0n, attach_type: "cgroup_device" }, "cgroup_device, detached"],
  ["netns", { netns_ino: 0, attach_type: "sk_lookup" }, "sk_lookup, detached"],
  ["unknown", {}, "unknown"],
] as const)("says where a link of type %s is", (type, target, words) => {
  expect(linkPlace({ id: 1, type, program: 2, target })).toBe(words);
});
