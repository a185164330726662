import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { ERRNO } from "../../errno.js";
import type { TargetKind } from "../../hooks/command.js";
import { type Field, MAX_PROBES } from "./fields.js";

export interface Target {
  readonly kind: TargetKind;
  /**
   * The type of the target field: an fd of the task, an optional one (0 is none), a number that is passed unchanged, or
   * no field.
   */
  readonly by: "fd" | "fd or none" | "number" | "nothing";
  /** The fields of BPF_LINK_CREATE for this target, from offset 16. */
  readonly fields: readonly Field[];
}

const u32 = (at: number): Field => ({ is: "value", at });
const u64 = (at: number): Field => ({ is: "value", at, size: 8 });
const counted = (at: number, length: number): Field => {
  return { is: "in", at, length, each: 8, most: MAX_PROBES, errno: ERRNO.E2BIG };
};
/** For tcx, netkit and cgroup: relative_fd or relative_id 16 · expected_revision 24. */
const ORDERED: readonly Field[] = [{ is: "relative", at: 16, flags: 12 }, u64(24)];

const CGROUP: Target = { kind: "cgroup", by: "fd", fields: ORDERED };
const INTERFACE: Target = { kind: "interface", by: "number", fields: [] };
const ORDERED_INTERFACE: Target = { kind: "interface", by: "number", fields: ORDERED };
const NETNS: Target = { kind: "netns", by: "fd", fields: [] };
const MAP: Target = { kind: "map", by: "fd", fields: [] };
/**
 * target_btf_id 16 · cookie 24. Without a target program, the target is the function that the program was loaded for.
 */
const FUNCTION: Target = { kind: "function", by: "fd or none", fields: [u32(16), u64(24)] };
/** flags 16 · cnt 20 · syms 24 · addrs 32 · cookies 40. */
const KPROBES: Target = {
  kind: "kprobes",
  by: "nothing",
  fields: [u32(16), { is: "texts", at: 24, count: 20 }, counted(32, 20), counted(40, 20)],
};
/** path 16 (resolved by the plan) · offsets 24 · ref_ctr_offsets 32 · cookies 40 · cnt 48 · flags 52 · pid 56. */
const UPROBES: Target = {
  kind: "uprobes",
  by: "nothing",
  fields: [counted(24, 48), counted(32, 48), counted(40, 48), u32(52), u32(56)],
};

/**
 * Targets by the name of the attach type. The gate denies any other type, including those that cannot be used to
 * attach.
 */
const TARGETS: Readonly<Record<string, Target>> = {
  ...Object.fromEntries(ATTACH_TYPES.filter((name) => name.startsWith("cgroup_")).map((name) => [name, CGROUP])),
  lsm_cgroup: CGROUP,
  sk_skb_stream_parser: MAP,
  sk_skb_stream_verdict: MAP,
  sk_skb_verdict: MAP,
  sk_msg_verdict: MAP,
  lirc_mode2: { kind: "device", by: "fd", fields: [] },
  flow_dissector: NETNS,
  sk_lookup: NETNS,
  trace_raw_tp: FUNCTION,
  trace_fentry: FUNCTION,
  trace_fexit: FUNCTION,
  modify_return: FUNCTION,
  lsm_mac: FUNCTION,
  /** iter_info 16 · iter_info_len 24: union bpf_iter_link_info of 16 bytes, whose fd is replaced by the plan. */
  trace_iter: {
    kind: "iterator",
    by: "nothing",
    fields: [{ is: "in", at: 16, length: 24, most: 16, errno: ERRNO.E2BIG }],
  },
  xdp: INTERFACE,
  tcx_ingress: ORDERED_INTERFACE,
  tcx_egress: ORDERED_INTERFACE,
  netkit_primary: ORDERED_INTERFACE,
  netkit_peer: ORDERED_INTERFACE,
  /** perf_event.bpf_cookie 16. */
  perf_event: { kind: "perf_event", by: "fd", fields: [u64(16)] },
  trace_kprobe_multi: KPROBES,
  trace_kprobe_session: KPROBES,
  trace_uprobe_multi: UPROBES,
  struct_ops: { kind: "struct_ops", by: "nothing", fields: [] },
  /** pf 16 · hooknum 20 · priority 24 · flags 28. */
  netfilter: { kind: "netfilter", by: "nothing", fields: [u32(16), u32(20), u32(24), u32(28)] },
};

/**
 * BPF_PROG_TYPE_EXT. Its target is always a function of a program; the kernel ignores the attach type (link_create of
 * kernel/bpf/syscall.c).
 */
export const EXT = 28;

/**
 * Returns the target for an attach type and the program type that the kernel reports; null if the gate does not know
 * it.
 */
export function targetOf(attachType: number, programType: number): Target | null {
  if (programType === EXT) return FUNCTION;
  return TARGETS[ATTACH_TYPES[attachType] ?? ""] ?? null;
}

/**
 * Returns the target of BPF_PROG_ATTACH, which depends only on the attach type. A network namespace is not named by an
 * fd: the kernel uses the caller's.
 */
export function attachTargetOf(attachType: number): Target | null {
  const target = targetOf(attachType, 0);
  return target === NETNS ? { ...NETNS, by: "nothing" } : target;
}

/**
 * Offsets of the fd in union bpf_iter_link_info, by iterator (the names of DEFINE_BPF_ITER_FUNC): map.map_fd 0,
 * cgroup.cgroup_fd 4, task.pid_fd 8. Other iterators do not read the union.
 */
export const ITERATOR_FDS: Readonly<Record<string, number>> = {
  bpf_map_elem: 0,
  bpf_sk_storage_map: 0,
  sockmap: 0,
  cgroup: 4,
  task: 8,
  task_file: 8,
  task_vma: 8,
};
