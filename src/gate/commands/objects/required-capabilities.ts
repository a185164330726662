import { MAP_TYPES, PROGRAM_TYPES } from "../../../bpf/tables/names.gen.js";

/** Bits of linux/capability.h. */
const NET_ADMIN = 1n << 12n;
const PERFMON = 1n << 38n;
const BPF = 1n << 39n;

/** Program types that need CAP_NET_ADMIN (is_net_admin_prog_type of kernel/bpf/syscall.c). */
const NETWORK = new Set([
  ...["sched_cls", "sched_act", "xdp", "lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "sk_skb", "sk_msg"],
  ...["flow_dissector", "cgroup_device", "cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt", "cgroup_sysctl"],
  ...["sock_ops", "ext", "netfilter"],
]);

/** Program types that need CAP_PERFMON (is_perfmon_prog_type of kernel/bpf/syscall.c). */
const TRACING = new Set([
  ...["kprobe", "tracepoint", "perf_event", "raw_tracepoint", "raw_tracepoint_writable", "tracing", "lsm"],
  ...["struct_ops", "ext"],
]);

/** Map types that need CAP_NET_ADMIN (map_create of kernel/bpf/syscall.c). */
const NETWORK_MAPS = new Set(["devmap", "devmap_hash", "sockmap", "sockhash", "xskmap"]);

/**
 * The capabilities, one bit each, that an attachment may grant for loading a program of this type: those that the
 * kernel requires for it, and no others. CAP_PERFMON, with which the verifier allows pointer leaks, is included only
 * for tracing types. Returns 0 for a program that calls bpf(2), since the kernel checks its calls against the
 * capabilities of the task that runs it.
 */
export function neededForProgram(type: number): bigint {
  const name = PROGRAM_TYPES[type] ?? "";
  if (name === "syscall") return 0n;
  return BPF | (NETWORK.has(name) ? NET_ADMIN : 0n) | (TRACING.has(name) ? PERFMON : 0n);
}

/** The capabilities that the kernel requires for loading a program of this type, whether they can be granted or not. */
export function requiredForProgram(type: number): bigint {
  return BPF | neededForProgram(type);
}

/** The capabilities that the kernel requires for creating a map of this type, which an attachment may grant. */
export function neededForMap(type: number): bigint {
  return BPF | (NETWORK_MAPS.has(MAP_TYPES[type] ?? "") ? NET_ADMIN : 0n);
}
