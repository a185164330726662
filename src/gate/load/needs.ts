import { MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";

/** linux/capability.h. */
const NET_ADMIN = 1n << 12n;
const PERFMON = 1n << 38n;
const BPF = 1n << 39n;

/** Types of programs for which the kernel asks for CAP_NET_ADMIN (is_net_admin_prog_type of kernel/bpf/syscall.c). */
const NETWORK = new Set([
  ...["sched_cls", "sched_act", "xdp", "lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "sk_skb", "sk_msg"],
  ...["flow_dissector", "cgroup_device", "cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt", "cgroup_sysctl"],
  ...["sock_ops", "ext", "netfilter"],
]);

/** And for CAP_PERFMON (is_perfmon_prog_type). */
const TRACING = new Set([
  ...["kprobe", "tracepoint", "perf_event", "raw_tracepoint", "raw_tracepoint_writable", "tracing", "lsm"],
  ...["struct_ops", "ext"],
]);

/** Types of maps for which it asks for CAP_NET_ADMIN (map_create). */
const NETWORK_MAPS = new Set(["devmap", "devmap_hash", "sockmap", "sockhash", "xskmap"]);

/**
 * What a task must have before the kernel looks at a program of this type, one bit each; nothing more is ever lent.
 * CAP_PERFMON, which has the verifier let pointers leak, is among it for tracing alone. 0 for what nobody is lent
 * anything for: what a program that calls bpf(2) makes is judged by the capabilities of whoever runs it.
 */
export function neededForProgram(type: number): bigint {
  const name = PROGRAM_TYPES[type] ?? "";
  if (name === "syscall") return 0n;
  return BPF | (NETWORK.has(name) ? NET_ADMIN : 0n) | (TRACING.has(name) ? PERFMON : 0n);
}

/** What a task must have before the kernel looks at a program of this type, lent or not. */
export function requiredForProgram(type: number): bigint {
  return BPF | neededForProgram(type);
}

/** The same for a map. */
export function neededForMap(type: number): bigint {
  return BPF | (NETWORK_MAPS.has(MAP_TYPES[type] ?? "") ? NET_ADMIN : 0n);
}
