import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { namedRemovals, removalLine, removalText } from "../../../../src/cli/output/removal.js";
import type { Place } from "../../../../src/loaded/model/places.js";
import type { Scan } from "../../../../src/loaded/model/scan.js";
import { link, NETNS, PROGRAM, pin, placed, program, removalsIn, scanOf } from "../../../support/detachable.js";
import { own } from "../../../support/workplace.js";

const isValid = new Ajv2020().compile(JSON.parse(readFileSync(own("schema/scan.schema.json"), "utf8")));

const named = (scan: Scan) => namedRemovals({ scan, removals: removalsIn(scan) }, PROGRAM);
const namesIn = (scan: Scan) => named(scan).map(({ names }) => names);

const on = { program: 7, at: "interface", attachType: "tc_ingress", ifindex: 3, name: "eth0", netns: NETNS } as const;
const filter = (handle: number, ifindex = 3): Place => ({
  ...{ ...on, filter: { listed: { ifindex, parent: 1 }, block: null, info: 49152 * 65536 + 3, chain: 0, handle } },
});

it("names a place as scan prints it, and by its filter or link if that is the name of two", () => {
  const words = "tc_ingress on eth0";
  expect(namesIn(placed("sched_cls", filter(1)))).toEqual([[words, `${words}, filter 49152 handle 0x1`]]);
  expect(namesIn(placed("sched_cls", filter(1), filter(2)))).toEqual([
    [`${words}, filter 49152 handle 0x1`, words],
    [`${words}, filter 49152 handle 0x2`, words],
  ]);
  const links = [9, 10].map((id) => link("raw_tracepoint", { tp_name: "sched_switch" }, id));
  expect(namesIn(scanOf({ programs: [program("raw_tracepoint")], links })).map(([name]) => name)).toEqual([
    "raw tracepoint sched_switch by link 9",
    "raw tracepoint sched_switch by link 10",
  ]);
  expect(namesIn(scanOf({ programs: [program("raw_tracepoint")], links: links.slice(1) }))).toEqual([
    ["raw tracepoint sched_switch", "raw tracepoint sched_switch by link 10"],
  ]);
});

it("prints what can be removed with the command that does it, and who holds what cannot", () => {
  const holder = { by: "process", pid: 5, descriptors: 1, exe: "/bin/tracer", unit: null, container: null } as const;
  const references = new Map([
    ["program:7", [pin("/pins/it's", 12)]],
    ["link:9", [holder]],
  ]);
  const links = [link("raw_tracepoint", { tp_name: "sched_switch" })];
  const scan = scanOf({ programs: [program("raw_tracepoint")], links, references });
  expect(removalText(scan, PROGRAM, named(scan))).toBe(
    [
      "program 7 limit (raw_tracepoint, tag 0011223344556677)",
      "",
      "cannot be removed: raw tracepoint sched_switch",
      "  the kernel detaches a link of type raw_tracepoint only when its last holder closes it",
      "  held by: tracer[5]",
      "",
      "would be removed: /pins/it's of mount namespace 12",
      "  by unlink",
      "  the program stays while something else holds it; without that it goes",
      "  countersign scan detach program:7 --at '/pins/it'\\''s of mount namespace 12' --tag 0011223344556677 --yes",
    ].join("\n"),
  );
});

it("has the form of the schema with --json", () => {
  const links = [link("perf_event", { event: "unspec" })];
  for (const scan of [placed("sched_cls", filter(1)), scanOf({ programs: [program("kprobe")], links })])
    for (const each of named(scan))
      expect([isValid(removalLine(PROGRAM, each, false)), isValid.errors]).toEqual([true, null]);
});
