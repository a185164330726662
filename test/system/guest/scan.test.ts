import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { DebianKernel } from "../core/debian-kernels.js";
import { compiled } from "../scan/scan-site.js";
import { addLinks, partsOf } from "./boot.js";
import { DebianGuest } from "./debian-guest.js";
import type { Ran } from "./guest.js";
import { kernelOfSuite } from "./kernel.js";

/** What programs of links/links.bpf.c are attached to, as `scan` says it. */
const LINKS: Readonly<Record<string, string | RegExp>> = {
  by_kprobe: /^kprobe do_nanosleep of process \d+$/,
  by_kprobe_multi: "1 kprobe",
  by_fentry: "trace_fentry do_nanosleep",
  by_fexit: "trace_fexit do_nanosleep",
  by_fmod_ret: "modify_return security_task_getpgid",
  by_lsm: "lsm_mac bpf_lsm_task_getpgid",
  by_uprobe: /^uprobe \/proc\/self\/exe\+\d+ of process \d+$/,
  by_uprobe_multi: "1 uprobe of /bin/links",
  by_tracepoint: /^tracepoint sys_enter_clock_nanosleep of process \d+$/,
  by_tp_btf: "raw tracepoint sys_enter",
  by_tcx: "tcx_egress on lo",
  by_xdp: "xdp on lo",
  by_netfilter: "netfilter ipv4 output, priority -7",
  by_cgroup: "cgroup_inet_egress of cgroup /",
  by_sk_lookup: "sk_lookup of this network namespace",
  by_freplace: /^replaces verdict of program \d+$/,
  ssthresh: /^ssthresh of map \d+$/,
  cong_avoid: /^cong_avoid of map \d+$/,
  undo_cwnd: /^undo_cwnd of map \d+$/,
};

/** What those of test/system/scan/attached.c are attached to, in a network namespace of their own. */
const OTHERS: Readonly<Record<string, string | RegExp>> = {
  scan_tcx: /^tcx_ingress on lo of network namespace \d+$/,
  scan_egress: /^tcx_egress on lo of network namespace \d+$/,
  scan_xdp: /^xdp on lo of network namespace \d+$/,
  scan_lookup: /^sk_lookup of network namespace \d+$/,
  scan_dissector: /^flow_dissector of network namespace \d+$/,
  scan_verdict: /^sk_skb_stream_verdict of map \d+$/,
  scan_event: /^tracepoint sched_process_free of process \d+$/,
  scan_element: /^element 1 of map \d+$/,
  scan_cgroup: "cgroup_inet_ingress of cgroup /a",
};

/** What those of test/system/scan/socket-network.c are attached to: NETWORK is the namespace that it prints. */
const OF_SOCKET: Readonly<Record<string, string>> = {
  socket_xdp: "xdp on lo of network namespace NETWORK",
  socket_tcx: "tcx_egress on lo of network namespace NETWORK",
  socket_flow: "flow_dissector of network namespace NETWORK",
};

interface Tested {
  /** Programs that this kernel does not load or attach, with a comma after each. */
  readonly without?: string;
  readonly unattached?: readonly string[];
  /** How programs are identified. */
  readonly by: "digest" | "tag";
}

const KERNELS: Readonly<Partial<Record<DebianKernel, Tested>>> = {
  "6.1": {
    without: "by_netfilter,by_struct_ops,by_uprobe_multi,by_tcx,",
    unattached: ["by_kprobe_multi", "scan_tcx", "scan_egress", "socket_tcx"],
    by: "tag",
  },
  "6.12": { by: "tag" },
  "6.18": { by: "digest" },
  "7.3": { by: "digest" },
};
const NIGHTLY = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const tested = Object.entries(KERNELS).filter(([name]) => NIGHTLY || name === "6.12") as [DebianKernel, Tested][];

describe.each(tested)("scan on Linux %s", (name, { without = "", unattached = [], by }) => {
  let ran: Ran | string;
  beforeAll(() => {
    ran = boot(name, without);
  }, 1_500_000);

  const part = (of: string) => partsOf(ran as Ran)[of] ?? "";
  const lines = () =>
    part("json")
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));

  it("ends, with everything read", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    expect(ran.status, ran.console.slice(-2000)).toBe(0);
    expect([part("errors"), part("status")]).toEqual(["", "0\n"]);
    const { views } = lines().find(({ kind }) => kind === "views");
    expect(views.filter(({ complete }: { complete: boolean }) => !complete)).toEqual([]);
  });

  it("names each attachment by its place", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const attached = attachments(part("text"));
    const left = new Set([...unattached, ...without.split(",")]);
    if (left.has("by_struct_ops")) for (const one of ["ssthresh", "cong_avoid", "undo_cwnd"]) left.add(one);
    for (const [program, place] of Object.entries({ ...LINKS, ...OTHERS })) {
      const found = attached.get(program);
      if (left.has(program)) expect([program, found ?? "-"]).toEqual([program, "-"]);
      else if (typeof place === "string") expect([program, found]).toEqual([program, place]);
      else expect([program, found]).toEqual([program, expect.stringMatching(place)]);
    }
  });

  it("names those in a network namespace that only a socket keeps", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const attached = attachments(part("text"));
    const [, network] = /^network (\d+)$/m.exec(part("socket")) ?? [];
    expect(network, part("socket")).toBeDefined();
    for (const [program, place] of Object.entries(OF_SOCKET)) {
      const expected = unattached.includes(program) ? "-" : place.replace("NETWORK", network!);
      expect([program, attached.get(program) ?? "-"]).toEqual([program, expected]);
    }
  });

  it("identifies the programs of an object that an executable embeds, each as itself", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    const programs = lines().filter(({ kind, name: of }) => kind === "program" && /^by_/.test(of));
    expect(programs.length).toBeGreaterThan(10);
    for (const { name: of, identified, digest } of programs) {
      expect([of, identified?.by]).toEqual([of, by]);
      expect(identified.programs.map((known: { name: string }) => known.name)).toContain(of);
      if (by === "digest") expect(digest).toBe(identified.programs[0].digest);
    }
  });

  it("says what each program can at most do", (context) => {
    if (typeof ran === "string") return context.skip(ran);
    for (const { kind, name: of, effects, effects_unknown } of lines())
      if (kind === "program") expect([of, effects === null, effects_unknown]).toEqual([of, false, []]);
  });
});

/** Attaches all programs, and scans twice while they are. Or the reason why this machine cannot. */
function boot(name: DebianKernel, without: string): Ran | string {
  const kernel = kernelOfSuite(name);
  const guest = typeof kernel === "string" ? kernel : DebianGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const folder = mkdtempSync(join(tmpdir(), "scan-guest-"));
  try {
    addLinks(guest, "links");
    for (const program of ["attached", "socket-network"]) guest.program(compiled(program, folder), `bin/${program}`);
    const scan = "node /countersign/bin/countersign.js scan";
    const inside = `${scan} > /tmp/text 2> /tmp/errors; ${scan} --json > /tmp/json; echo $? > /tmp/status`;
    return guest.run(
      [
        // an executable with the object after its end embeds it, as one with a skeleton does
        "cat /lib/links.o >> /bin/links",
        "mkdir /cgroup; mount -t cgroup2 cgroup /cgroup; mkdir /cgroup/a; ip link set lo up",
        "mkdir /pins /tracing; mount -t bpf none /pins; mount -t tracefs none /tracing",
        "mkfifo /tmp/hold; unshare -n attached /pins /cgroup/a < /tmp/hold > /tmp/attached & exec 3> /tmp/hold",
        "mkfifo /tmp/hold2; socket-network < /tmp/hold2 > /tmp/socket & exec 4> /tmp/hold2",
        "for try in $(seq 100); do grep -q ready /tmp/attached && grep -q ready /tmp/socket && break; sleep 0.2; done",
        `export WITHOUT=${without}; links /lib/links.o /lib/replaced.o /cgroup '${inside}'`,
        "echo PART attached; cat /tmp/attached; echo PART socket; cat /tmp/socket",
        "echo PART text; cat /tmp/text; echo PART json; cat /tmp/json; echo PART errors; cat /tmp/errors; echo PART status; cat /tmp/status; echo PART end",
      ].join("\n"),
      { seconds: 400 },
    );
  } finally {
    guest.remove();
    rmSync(folder, { recursive: true });
  }
}

/** The column ATTACHED of the first table, by the name of the program. */
function attachments(text: string): ReadonlyMap<string, string> {
  const [head = "", ...rows] = text.split("\n\n")[0]!.split("\n");
  const [nameAt, typeAt, from, to] = ["NAME", "TYPE", "ATTACHED", "HELD BY"].map((column) => head.indexOf(column));
  return new Map(rows.map((row) => [row.slice(nameAt, typeAt).trim(), row.slice(from, to).trim()]));
}
