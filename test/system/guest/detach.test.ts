import { beforeAll, describe, expect, it } from "vitest";
import type { DebianKernel } from "../core/debian-kernels.js";
import { bootAttached } from "./attached-guest.js";
import { partsOf } from "./boot.js";
import type { Ran } from "./guest.js";

/**
 * Removes one attachment of each program that it is given by name, and tells what that said. A name can have a place
 * after it, with a colon between.
 */
const REMOVER = `
import { spawnSync } from "node:child_process";
const run = (...words) =>
  spawnSync("node", ["/countersign/bin/countersign.js", "scan", ...words], { encoding: "utf8", maxBuffer: 1 << 26 });
const lines = (text) => text.split("\\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
const ids = new Map(lines(run("--brief", "--json").stdout).filter(({ kind }) => kind === "program")
  .map(({ name, id, tag }) => [name, { id, tag }]));
for (const [name, place] of process.argv.slice(2).map((word) => word.split(/:(.*)/))) {
  const { id, tag } = ids.get(name) ?? {};
  const at = place === undefined ? [] : ["--at", place];
  const { status, stdout, stderr } = run("detach", "program:" + id, "--tag", String(tag), ...at, "--yes", "--json");
  const [said = null] = lines(stdout);
  console.log(JSON.stringify({ name, status, said, stderr }));
}
const left = lines(run("--brief", "--json").stdout);
const byId = new Map([...ids].map(([name, { id }]) => [id, name]));
for (const line of left) {
  if (line.kind === "place") console.log(JSON.stringify({ left: byId.get(line.program), place: line.at }));
  if (line.kind === "link") console.log(JSON.stringify({ link: byId.get(line.program), target: line.target }));
}
`;

/** By what each program is removed from its place, of the programs that the test of scan attaches. */
const REMOVED: Readonly<Record<string, string>> = {
  by_cgroup: "BPF_LINK_DETACH",
  by_sk_lookup: "BPF_LINK_DETACH",
  by_tcx: "BPF_LINK_DETACH",
  by_xdp: "BPF_LINK_DETACH",
  by_netfilter: "BPF_LINK_DETACH",
  kind_netkit: "BPF_LINK_DETACH",
  ssthresh: "BPF_LINK_DETACH",
  scan_tcx: "BPF_LINK_DETACH",
  kind_create: "BPF_LINK_DETACH",
  scan_egress: "BPF_PROG_DETACH",
  scan_dissector: "BPF_PROG_DETACH",
  scan_verdict: "BPF_PROG_DETACH",
  scan_cgroup: "BPF_PROG_DETACH",
  socket_flow: "BPF_PROG_DETACH",
  kind_msg: "BPF_PROG_DETACH",
  kind_parser: "BPF_PROG_DETACH",
  kind_connect: "BPF_PROG_DETACH",
  scan_element: "BPF_MAP_DELETE_ELEM",
  kind_devmap: "BPF_MAP_DELETE_ELEM",
  kind_devhash: "BPF_MAP_DELETE_ELEM",
  kind_cpumap: "BPF_MAP_DELETE_ELEM",
  kind_generic: "RTM_SETLINK",
  kind_ingress: "RTM_DELTFILTER",
  kind_egress: "RTM_DELTFILTER",
  kind_class: "RTM_DELTFILTER",
  "kind_block:tc_ingress on d0": "RTM_DELTFILTER",
  kind_action: "RTM_DELACTION",
  kind_xmit: "RTM_DELROUTE",
  kind_segment: "RTM_DELROUTE",
  scan_pinned: "unlink",
};

/** What cannot be removed, and what is said about it. */
const KEPT: Readonly<Record<string, RegExp>> = {
  by_kprobe: /the kernel detaches a link of type perf_event only when its last holder closes it .*links\[\d+\]/,
  by_tracepoint: /link of type perf_event .*links\[\d+\]/,
  by_kprobe_multi: /link of type kprobe_multi .*links\[\d+\]/,
  by_uprobe_multi: /link of type uprobe_multi .*links\[\d+\]/,
  by_fentry: /link of type tracing .*links\[\d+\]/,
  by_fmod_ret: /link of type tracing .*links\[\d+\]/,
  by_lsm: /link of type tracing .*links\[\d+\]/,
  by_freplace: /link of type tracing .*links\[\d+\]/,
  by_tp_btf: /link of type (?:tracing|raw_tracepoint) .*links\[\d+\]/,
  scan_raw: /link of type raw_tracepoint .*attached\[\d+\]/,
  scan_event: /takes a program from a perf event only when process \d+ closes the event .*attached\[\d+\]/,
  kind_in: /the kernel does not say which program the route has/,
  kind_used: /RTM_DELACTION failed: EPERM .*filters/,
  kind_socket: /is attached and pinned nowhere that the kernel shows/,
  kind_perf: /is attached and pinned nowhere that the kernel shows/,
};

interface Tested {
  /** Programs that this kernel does not load or attach. */
  readonly without: readonly string[];
}

const KERNELS: Readonly<Partial<Record<DebianKernel, Tested>>> = {
  "6.12": { without: [] },
  "6.18": { without: [] },
  "7.3": { without: [] },
};
const NIGHTLY = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const tested = Object.entries(KERNELS).filter(([name]) => NIGHTLY || name === "6.18") as [DebianKernel, Tested][];

describe.each(tested)("scan detach on Linux %s", (name, { without }) => {
  let ran: Ran | string;
  beforeAll(() => {
    const words = [...Object.keys(REMOVED), ...Object.keys(KEPT)].map((word) => `"${word}"`).join(" ");
    ran = bootAttached(name, {
      without: without.map((one) => `${one},`).join(""),
      inside: `node /remover.mjs ${words} > /tmp/removed 2> /tmp/errors; dmesg | grep countersign > /tmp/log`,
      parts: ["removed", "errors", "log"],
      seconds: 1_200,
      files: { "remover.mjs": REMOVER },
    });
  }, 1_500_000);

  const part = (of: string) => partsOf(ran as Ran)[of] ?? "";
  const lines = () =>
    part("removed")
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));

  it("removes each attachment by its way", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect([ran.status, part("errors")], ran.console.slice(-2000)).toEqual([0, ""]);
    const found = new Map(lines().map((line) => [line.name, line]));
    const names = Object.keys(REMOVED).map((word) => word.split(":")[0]!);
    const said = names.map((one) => {
      const { status, said: its, stderr } = found.get(one) ?? {};
      return [one, status === 0 ? its.by : `${status} ${stderr}`, its?.removed];
    });
    expect(said).toEqual(names.map((one, at) => [one, Object.values(REMOVED)[at], true]));
  });

  it("says of what cannot be removed who holds it", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const found = new Map(lines().map((line) => [line.name, line]));
    const said = Object.keys(KEPT).map((one) => [one, found.get(one)?.status, found.get(one)?.stderr.trim()]);
    expect(said).toEqual(Object.entries(KEPT).map(([one, reason]) => [one, 2, expect.stringMatching(reason)]));
    for (const [, , stderr] of said) expect(stderr).toContain("[SCAN_NOT_DETACHED]");
  });

  it("leaves nothing of what it removed, and all else where it was", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const left = new Set(lines().flatMap((line) => (line.left === undefined ? [] : [line.left])));
    const names = Object.keys(REMOVED).map((word) => word.split(":")[0]!);
    expect(names.filter((one) => left.has(one))).toEqual([]);
    for (const one of ["by_kprobe", "scan_event", "kind_in", "kind_used", "scan_xdp", "kind_sendmsg"])
      expect([one, left.has(one)]).toEqual([one, true]);
  });

  it("records each removal in the kernel's log before", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const log = part("log");
    for (const word of Object.keys(REMOVED)) {
      const [one] = word.split(":");
      expect(log).toMatch(new RegExp(`countersign: uid 0 pid \\d+ removes program \\d+ ${one} \\(.*\\) from .* by `));
    }
  });
});
