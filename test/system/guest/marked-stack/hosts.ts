/** Kinds of programs that call helpers: how a guest runs them. */

export interface Host {
  readonly name: string;
  /** As bpftool spells it, and so is `expected`. */
  readonly type: string;
  readonly expected: string | null;
  /** The function of the kernel that a program is attached to by its BTF id. */
  readonly function: string | null;
  readonly sleepable: boolean;
  /** As in triggers.h. */
  readonly trigger: "test" | "cgroup" | "raw" | "perf" | "iter" | "reuseport" | "veth";
  readonly action: string;
  /** Hexadecimal bytes for BPF_PROG_TEST_RUN; `-` for none. */
  readonly packet: string;
  readonly context: string;
  /** What the program returns where no bytes of the stack are returned. */
  readonly returns: number;
  /** The helper that writes to a packet, with r5 where it has flags. */
  readonly store: string | null;
}

const host = (name: string, type: string, more: Partial<Host> = {}): Host => ({
  name,
  type,
  expected: null,
  function: null,
  sleepable: false,
  trigger: "test",
  action: "-",
  packet: "-",
  context: "-",
  returns: 0,
  store: null,
  ...more,
});

/** A frame with an IPv4 header of a TCP segment, and zeros. */
const PACKET = `0200000000010200000000020800${"45000032000000004006000000000000"}7f0000017f000001${"00".repeat(30)}`;

export const XDP = host("xdp", "xdp", { packet: PACKET, returns: 2, store: "bpf_xdp_store_bytes" });
/** On a device that has metadata of received packets, for which alone the program is loaded. */
export const XDP_OF_DEVICE: Host = { ...XDP, name: "xdp_veth", trigger: "veth", packet: "-" };
export const TC = host("tc", "sched_cls", { packet: PACKET, store: "bpf_skb_store_bytes" });
export const SOCKET_FILTER = host("socket_filter", "socket_filter", { packet: PACKET });
export const FLOW_DISSECTOR = host("flow_dissector", "flow_dissector", { packet: PACKET });
export const RAW_TRACEPOINT = host("raw_tp", "raw_tracepoint", { context: "00".repeat(96) });
export const PERF_EVENT = host("perf_event", "perf_event", { trigger: "perf" });
export const REUSEPORT = host("sk_reuseport", "sk_reuseport", {
  expected: "sk_reuseport_select",
  trigger: "reuseport",
  returns: 1,
});
export const CONNECT = host("connect4", "cgroup_sock_addr", {
  expected: "cgroup_inet4_connect",
  trigger: "cgroup",
  action: "connect",
  returns: 1,
});
export const SOCK_OPS = host("sock_ops", "sock_ops", {
  expected: "cgroup_sock_ops",
  trigger: "cgroup",
  action: "tcp",
  returns: 1,
});
export const sysctl = (action: string) =>
  host("sysctl", "cgroup_sysctl", { expected: "cgroup_sysctl", trigger: "cgroup", action, returns: 1 });
export const FENTRY = host("fentry", "tracing", {
  expected: "trace_fentry",
  function: "security_task_getpgid",
  trigger: "raw",
  action: ",getpgid",
});
export const FEXIT: Host = { ...FENTRY, name: "fexit", expected: "trace_fexit" };
/** Runs where this file is opened. */
export const opened = (path: string) =>
  host("lsm", "lsm", {
    expected: "lsm_mac",
    function: "bpf_lsm_file_open",
    sleepable: true,
    trigger: "raw",
    action: `,<${path}`,
  });
export const EXECUTED: Host = {
  ...opened(""),
  name: "lsm_exec",
  function: "bpf_lsm_bprm_creds_for_exec",
  action: ",exec",
};
export const ITERATOR = host("iter", "tracing", {
  expected: "trace_iter",
  function: "bpf_iter_task",
  trigger: "iter",
});
