import type { EffectName } from "../model/facts.js";

/**
 * The behaviour of each program type apart from calls: the pointers in its context, the fields of the context that may
 * be written, and the meaning of its return value. Offsets are those of the context's struct in
 * include/uapi/linux/bpf.h. Writable fields are those that the type's `is_valid_access` allows (net/core/filter.c,
 * kernel/bpf/cgroup.c and others).
 */
export interface ProgramTypeRow {
  readonly type: string;
  readonly context: ContextRow;
  readonly verdict: Verdict;
  /** The verdict for expected attach types that change the meaning of the return value. */
  readonly verdictBy?: Readonly<Record<string, Verdict>>;
  /** Whether the type alone allows calls of bpf(2), without any instruction that shows it. */
  readonly calls_bpf?: true;
}

export interface ContextRow {
  readonly name: string;
  /**
   * The value of a load from any other field: a number, or an argument of the kernel function, which may be a pointer
   * to any kernel object with BTF or (`iterated`, unless iterators.ts excludes it) to a value of the map that an
   * iterator visits. `anything` if the context is not known, `translated` if its structure is the kernel's own.
   */
  readonly otherwise: "number" | "kernel" | "iterated" | "buffer" | "anything" | "translated";
  readonly pointers: readonly ContextField[];
  /** The writable fields, for evidence. A store to another field counts as well. */
  readonly writable: readonly WritableField[];
}

export interface ContextField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly kind: "packet" | "packet_end" | "socket" | "kernel" | "flow_keys" | "option";
}

/** The effects are those of a write to the field, in addition to `writes_ctx`. */
export type WritableField = readonly [name: string, offset: number, size: number, ...effects: EffectName[]];

/** `ignored`: the return value decides nothing. `always`: its meaning is not known, or every value decides. */
export type Verdict = "ignored" | "always" | ReturnValues;

export interface ReturnValues {
  /** The values with the same result as without the program. */
  readonly neutral: readonly number[] | "odd" | "nonzero";
  /** The values that redirect a packet. */
  readonly redirects: readonly number[] | "all";
  /**
   * Number of bits of r0 that the kernel uses: __bpf_prog_run (include/linux/filter.h) returns 32, trampolines compare
   * 64.
   */
  readonly bits: 32 | 64;
  /**
   * `outcome`: the value decides what the kernel does. `record`: it decides only whether perf and ftrace record the
   * event, so the program still changes nothing.
   */
  readonly decides: "outcome" | "record";
}

const only = (...neutral: number[]): ReturnValues => ({ neutral, redirects: [], bits: 32, decides: "outcome" });

/**
 * invoke_bpf_mod_ret of arch/x86/net/bpf_jit_comp.c compares all 64 bits with 0. Any other value skips the function and
 * the programs after this one. The verifier never checks the value of a fmod_ret program, and only 32 bits of an LSM
 * program's (retval_range_within of kernel/bpf/verifier.c).
 */
const TRAMPOLINE: ReturnValues = { ...only(0), bits: 64 };

/**
 * trace_call_bpf of kernel/trace/bpf_trace.c combines the values of all programs by `&`, starting with 1. If bit 0 is
 * clear, perf_trace_run_bpf_submit, perf_syscall_enter and kprobe_perf_func do not record the event.
 */
const RECORDED: ReturnValues = { neutral: "odd", redirects: [], bits: 32, decides: "record" };

const pointer = (kind: ContextField["kind"], name: string, offset: number, size = 8): ContextField => ({
  name,
  offset,
  size,
  kind,
});

const context = (
  name: string,
  pointers: readonly ContextField[],
  writable: readonly WritableField[] = [],
  otherwise: ContextRow["otherwise"] = "number",
): ContextRow => ({ name, otherwise, pointers, writable });

const MARK = ["mark", 8, 4] as const;
const QUEUE = ["queue_mapping", 12, 4] as const;
const PRIORITY = ["priority", 32, 4] as const;
const TC_INDEX = ["tc_index", 44, 4] as const;
const CB = ["cb", 48, 20] as const;
const CLASSID = ["tc_classid", 72, 4] as const;
const TSTAMP = ["tstamp", 152, 8] as const;

const SKB_POINTERS = [
  pointer("packet", "data", 76, 4),
  pointer("packet_end", "data_end", 80, 4),
  pointer("packet", "data_meta", 140, 4),
  pointer("socket", "sk", 168),
];
const skb = (...writable: WritableField[]): ContextRow => context("__sk_buff", SKB_POINTERS, writable);
/** Only flow_dissector_is_valid_access allows `flow_keys`; bpf_skb_is_valid_access does not (net/core/filter.c). */
const DISSECTED = context("__sk_buff", [...SKB_POINTERS, pointer("flow_keys", "flow_keys", 144)]);
const registers = (name: string) => context(name, []);
const traced = context("arguments of the traced function", [], [], "kernel");

const XDP = context(
  "xdp_md",
  [pointer("packet", "data", 0, 4), pointer("packet_end", "data_end", 4, 4), pointer("packet", "data_meta", 8, 4)],
  [["rx_queue_index", 16, 4]],
);
const TC = skb(MARK, QUEUE, PRIORITY, TC_INDEX, CB, CLASSID, TSTAMP);
/** The fields of all types with this context. */
const ANY_SKB = { ...TC, pointers: DISSECTED.pointers };
/**
 * Neutral: TC_ACT_UNSPEC, TC_ACT_OK. Redirecting: TC_ACT_REDIRECT (include/uapi/linux/pkt_cls.h). The value is an `int`
 * of 32 bits in cls_bpf_classify and tcf_bpf_act (net/sched), tcx_run (net/core/dev.c) and netkit_run
 * (drivers/net/netkit.c). netkit drops the packet for TC_ACT_PIPE.
 */
const TC_VERDICT: Verdict = { ...only(-1, 0), redirects: [7] };
/**
 * Neutral: BPF_OK. Redirecting: BPF_REDIRECT and BPF_LWT_REROUTE (enum bpf_ret_code). The value is an `int` in
 * run_lwt_bpf of net/core/lwt_bpf.c and input_action_end_bpf of net/ipv6/seg6_local.c, which drop the packet for
 * unknown values.
 */
const LWT_VERDICT: Verdict = { ...only(0), redirects: [7, 128] };

/**
 * bpf_prog_run_array_cg of kernel/bpf/cgroup.c: a `u32`. 0 denies, and bit 1 has a meaning of its own (enum
 * bpf_cgroup_inet_egress and others).
 */
const CGROUP: Verdict = only(1);
/** SK_PASS of enum sk_action. */
const SK_VERDICT: Verdict = only(1);

const KNOWN: readonly ProgramTypeRow[] = [
  // The number of bytes that the socket receives (sk_filter_trim_cap, net/core/filter.c), or the choice of a socket in
  // a group: by index in a reuseport group (run_bpf_filter, net/core/sock_reuseport.c), by remainder in a fanout group
  // (fanout_demux_bpf, net/packet/af_packet.c) and among the queues of a tun device (tun_ebpf_select_queue,
  // drivers/net/tun.c).
  { type: "socket_filter", context: skb(CB), verdict: { ...only(), redirects: "all" } },
  {
    type: "kprobe",
    // A program on a uprobe may change the registers of the process: kprobe_prog_is_valid_access of
    // kernel/trace/bpf_trace.c.
    context: context("pt_regs", [], [["registers", 0, 512, "overrides_return", "writes_user_memory"]]),
    verdict: RECORDED,
    // kprobe_multi_link_handler ignores the value. That of a session program skips its own return probe. On Linux 6.6
    // to 6.12, value 1 of a uprobe program removes the probe.
    verdictBy: {
      trace_kprobe_multi: "ignored",
      trace_kprobe_session: { ...RECORDED, neutral: [0] },
      trace_uprobe_multi: { ...RECORDED, neutral: [0] },
    },
  },
  { type: "sched_cls", context: TC, verdict: TC_VERDICT },
  { type: "sched_act", context: TC, verdict: TC_VERDICT },
  { type: "tracepoint", context: registers("the tracepoint's record"), verdict: RECORDED },
  // Neutral: XDP_PASS. Redirecting: XDP_TX, XDP_REDIRECT (enum xdp_action). The value is the `u32` of bpf_prog_run_xdp
  // (include/net/xdp.h), which each driver interprets.
  { type: "xdp", context: XDP, verdict: { ...only(2), redirects: [3, 4] } },
  // __perf_event_overflow of kernel/events/core.c: 0 drops the sample.
  { type: "perf_event", context: registers("bpf_perf_event_data"), verdict: { ...RECORDED, neutral: "nonzero" } },
  { type: "cgroup_skb", context: skb(MARK, PRIORITY, CB, TSTAMP), verdict: CGROUP },
  {
    type: "cgroup_sock",
    context: context(
      "bpf_sock",
      [],
      [
        ["bound_dev_if", 0, 4, "changes_socket"],
        ["mark", 16, 4, "changes_socket"],
        ["priority", 20, 4, "changes_socket"],
      ],
    ),
    verdict: CGROUP,
  },
  { type: "lwt_in", context: skb(MARK, PRIORITY, CB), verdict: LWT_VERDICT },
  { type: "lwt_out", context: skb(MARK, PRIORITY, CB), verdict: LWT_VERDICT },
  { type: "lwt_xmit", context: skb(MARK, PRIORITY, CB), verdict: LWT_VERDICT },
  // tcp_call_bpf of include/net/tcp.h: 1 passes `reply` (the first of `replylong`) to TCP, and writing it is a write to
  // the context; 0 keeps TCP's defaults.
  {
    type: "sock_ops",
    context: context(
      "bpf_sock_ops",
      [pointer("socket", "sk", 184), pointer("packet", "skb_data", 192), pointer("packet_end", "skb_data_end", 200)],
      [
        ["replylong", 4, 16, "changes_socket"],
        ["sk_txhash", 164, 4, "changes_socket"],
      ],
    ),
    verdict: only(0, 1),
  },
  // A program loaded as a verdict (SK_PASS) can be attached as a parser, whose value is the length of a message
  // (sk_psock_strp_parse of net/core/skmsg.c).
  { type: "sk_skb", context: skb(PRIORITY, TC_INDEX), verdict: "always" },
  { type: "cgroup_device", context: context("bpf_cgroup_dev_ctx", []), verdict: CGROUP },
  {
    type: "sk_msg",
    context: context("sk_msg_md", [
      pointer("packet", "data", 0),
      pointer("packet_end", "data_end", 8),
      pointer("socket", "sk", 72),
    ]),
    // sk_psock_map_verd of net/core/skmsg.c. It redirects only if a helper was called for that.
    verdict: SK_VERDICT,
  },
  // __bpf_trace_run of kernel/trace/bpf_trace.c ignores the value.
  { type: "raw_tracepoint", context: registers("bpf_raw_tracepoint_args"), verdict: "ignored" },
  {
    type: "cgroup_sock_addr",
    context: context(
      "bpf_sock_addr",
      [pointer("socket", "sk", 64)],
      [
        // The address to connect, send or bind to, or the peer address that the task is told.
        ["user_ip4", 4, 4, "redirects", "changes_socket"],
        ["user_ip6", 8, 16, "redirects", "changes_socket"],
        ["user_port", 24, 4, "redirects", "changes_socket"],
        // The source address of a datagram.
        ["msg_src_ip4", 40, 4, "writes_packet"],
        ["msg_src_ip6", 44, 16, "writes_packet"],
      ],
    ),
    verdict: CGROUP,
  },
  { type: "lwt_seg6local", context: skb(MARK, PRIORITY, CB), verdict: LWT_VERDICT },
  // lirc_bpf_run of drivers/media/rc/bpf-lirc.c ignores the value.
  { type: "lirc_mode2", context: context("a sample of the receiver", []), verdict: "ignored" },
  {
    type: "sk_reuseport",
    context: context("sk_reuseport_md", [
      pointer("packet", "data", 0),
      pointer("packet_end", "data_end", 8),
      pointer("socket", "sk", 40),
      pointer("socket", "migrating_sk", 48),
    ]),
    // bpf_run_sk_reuseport of net/core/filter.c: a helper has chosen the socket.
    verdict: SK_VERDICT,
  },
  // BPF_FLOW_DISSECTOR_CONTINUE of enum bpf_ret_code continues with the kernel's dissector, but is an error before
  // Linux 6.1.
  { type: "flow_dissector", context: DISSECTED, verdict: "always" },
  {
    type: "cgroup_sysctl",
    context: context("bpf_sysctl", [], [["file_pos", 4, 4, "changes_kernel_state"]]),
    verdict: CGROUP,
  },
  {
    type: "raw_tracepoint_writable",
    context: context("bpf_raw_tracepoint_args", [], [], "buffer"),
    verdict: "ignored",
  },
  {
    type: "cgroup_sockopt",
    context: context(
      "bpf_sockopt",
      [pointer("socket", "sk", 0), pointer("option", "optval", 8), pointer("packet_end", "optval_end", 16)],
      [
        ["level", 24, 4, "changes_socket"],
        ["optname", 28, 4, "changes_socket"],
        ["optlen", 32, 4, "changes_socket"],
        ["retval", 36, 4, "overrides_return"],
      ],
    ),
    verdict: CGROUP,
  },
  {
    type: "tracing",
    context: context("what a traced function or an iterator was given", [], [], "iterated"),
    verdict: "always",
    // For an iterator, 1 requests the same object again or ends the iteration (bpf_iter_run_prog, cgroup_iter.c).
    // fentry and fexit programs must return 0; the value of tp_btf programs is ignored.
    verdictBy: {
      trace_fentry: "ignored",
      trace_fexit: "ignored",
      trace_raw_tp: "ignored",
      trace_iter: "ignored",
      modify_return: TRAMPOLINE,
    },
  },
  // All 64 bits; the meaning depends on the member (arch_prepare_bpf_trampoline with BPF_TRAMP_F_RET_FENTRY_RET).
  { type: "struct_ops", context: traced, verdict: "always" },
  // 0 keeps the hook's own result; in the per-cgroup form, 1 does.
  { type: "lsm", context: traced, verdict: "always", verdictBy: { lsm_mac: TRAMPOLINE, lsm_cgroup: CGROUP } },
  // bpf_sk_lookup_run_v4 of include/linux/filter.h
  { type: "sk_lookup", context: context("bpf_sk_lookup", [pointer("socket", "sk", 0)]), verdict: SK_VERDICT },
  // It can call bpf(2) and so load anything. Its value goes to the process that runs it.
  { type: "syscall", context: context("memory of the caller", []), verdict: "ignored", calls_bpf: true },
  // NF_ACCEPT of nf_hook_run_bpf (net/netfilter/nf_bpf_link.c)
  {
    type: "netfilter",
    context: context("bpf_nf_ctx", [pointer("kernel", "state", 0), pointer("kernel", "skb", 8)]),
    verdict: only(1),
  },
];

/** Its context and the meaning of its value can be those of any program: see `redirectsIn`. */
const EXT: ProgramTypeRow = {
  type: "ext",
  context: context(
    "the context of the program it replaces",
    [],
    KNOWN.flatMap(({ context: row }) => row.writable),
    "anything",
  ),
  verdict: only(),
};

const ROWS: readonly ProgramTypeRow[] = [...KNOWN, EXT];

/** Rows by bpftool's name of the type. A type without a row may have every effect. */
export const PROGRAM_TYPE_ROWS: ReadonlyMap<string, ProgramTypeRow> = new Map(ROWS.map((row) => [row.type, row]));

/**
 * The context with this struct; undefined if the struct is not a context, or is one of types whose contexts hold
 * pointers to other things.
 */
export function contextOfStruct(name: string): ContextRow | undefined {
  if (name === TC.name) return ANY_SKB;
  const rows = ROWS.filter(({ context: row }) => row.name === name);
  return rows.every(({ context: row }) => row.otherwise === "number") ? rows[0]?.context : undefined;
}

/** The values that redirect in any type with this context; if there is no such type, in any type at all. */
export function redirectsIn(context: string): readonly number[] | "all" {
  const having = KNOWN.filter((row) => row.context.name === context);
  const all = (having.length === 0 ? KNOWN : having).flatMap(({ verdict }) =>
    typeof verdict === "object" ? [verdict.redirects] : [],
  );
  return all.includes("all") ? "all" : all.flatMap((values) => values as readonly number[]);
}
