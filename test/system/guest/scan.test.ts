import { beforeAll, describe, expect, it } from "vitest";
import type { DebianKernel } from "../core/debian-kernels.js";
import { bootAttached } from "./attached-guest.js";
import { partsOf } from "./boot.js";
import type { Ran } from "./guest.js";

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

const OF_SOCKETS = "no view of SO_ATTACH_BPF, PACKET_FANOUT, SO_REUSEPORT, TUN, xt_bpf";

/** What those of test/system/scan/kinds.c are attached to, in part by the commands below. */
const KINDS: Readonly<Record<string, string | RegExp>> = {
  kind_socket: OF_SOCKETS,
  kind_packet: OF_SOCKETS,
  kind_fanout: OF_SOCKETS,
  kind_reuse: OF_SOCKETS,
  kind_reuseport: "no view of SO_REUSEPORT",
  kind_tunfilter: OF_SOCKETS,
  kind_tunsteer: OF_SOCKETS,
  kind_perf: "no view of PERF_EVENT_IOC_SET_BPF",
  kind_msg: /^sk_msg_verdict of map \d+$/,
  kind_parser: /^sk_skb_stream_parser of map \d+$/,
  kind_devmap: /^element 2 of map \d+$/,
  kind_devhash: /^element 70000 of map \d+$/,
  kind_cpumap: /^element 0 of map \d+$/,
  kind_create: "cgroup_inet_sock_create of cgroup /a",
  kind_connect: "cgroup_inet4_connect of cgroup /a",
  kind_sendmsg: "cgroup_udp6_sendmsg of cgroup /a",
  kind_sysctl: "cgroup_sysctl of cgroup /a",
  kind_sockopt: "cgroup_getsockopt of cgroup /a",
  kind_device: "cgroup_device of cgroup /a",
  kind_sockops: "cgroup_sock_ops of cgroup /a",
  kind_kprobe: /^kprobe vfs_fsync of process \d+$/,
  kind_kretprobe: /^kretprobe vfs_fsync of process \d+$/,
  kind_uprobe: /^uprobe \/bin\/kinds\+4096 of process \d+$/,
  kind_netkit: "netkit_primary on kit0",
  kind_ingress: "tc_ingress on lo",
  kind_egress: "tc_egress on lo",
  kind_class: "tc on d0",
  kind_block: "tc_ingress on d0, tc_ingress on d1",
  kind_action: "tc action 7 of this network namespace",
  kind_used: "tc action 9 of this network namespace",
  kind_generic: "xdp on d0",
  kind_xmit: "lwt_xmit of route 10.9.0.0/16",
  kind_in: "perhaps lwt_in of route 10.8.0.0/16",
  kind_other_in: "perhaps lwt_in of route 10.8.0.0/16",
  kind_segment: "lwt_seg6local of route fc00:9::1/128",
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
    unattached: ["by_kprobe_multi", "scan_tcx", "scan_egress", "socket_tcx", "kind_netkit"],
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
    const expected = Object.entries({ ...LINKS, ...OTHERS, ...KINDS }).map(([program, place]) => {
      return [program, left.has(program) ? "-" : place instanceof RegExp ? expect.stringMatching(place) : place];
    });
    const found = expected.map(([program]) => [program, attached.get(program) ?? "-"]);
    const failed = /.* failed .*|^Error.*|.*RTNETLINK.*/gm;
    expect(found, `${part("attached").match(failed)} ${part("kinds").match(failed)}`).toEqual(expected);
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
  const scan = "node /countersign/bin/countersign.js scan";
  return bootAttached(name, {
    without,
    inside: `${scan} > /tmp/text 2> /tmp/errors; ${scan} --json > /tmp/json; echo $? > /tmp/status`,
    parts: ["text", "json", "errors", "status"],
    seconds: 400,
  });
}

/** The column ATTACHED of the first table, by the name of the program. */
function attachments(text: string): ReadonlyMap<string, string> {
  const [head = "", ...rows] = text.split("\n\n")[0]!.split("\n");
  const [nameAt, typeAt, from, to] = ["NAME", "TYPE", "ATTACHED", "HELD BY"].map((column) => head.indexOf(column));
  return new Map(rows.map((row) => [row.slice(nameAt, typeAt).trim(), row.slice(from, to).trim()]));
}
