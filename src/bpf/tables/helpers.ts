import type { EffectName } from "../model/facts.js";

export interface HelperRow {
  readonly id: number;
  readonly name: string;
  /**
   * One letter for each argument: `-` a number, `c` the context, `m` a map, `r` memory that is read, `w` memory that
   * may be written, `o` a kernel object, `f` a callback, `d` the data of the callback, `t` a format string, `x` an
   * address as a number, `y` a dynptr, `z` a dynptr whose memory is written.
   */
  readonly args: string;
  readonly effects: readonly EffectName[];
  /** Whether its effects leave `read_only` true. */
  readonly harmless: boolean;
  /** The target of r0 if it is a pointer; `dynptr`: memory of the dynptr in the first argument. */
  readonly returns: "number" | "map_value" | "memory" | "socket" | "kernel" | "dynptr";
  /** Whether it changes the map in its `m` argument. */
  readonly writesMap: boolean;
  /** Whether it is in bpf_helper_changes_pkt_data (net/core/filter.c): it invalidates pointers into the packet. */
  readonly changesPacket: boolean;
  /** What a flag in one of its arguments adds to its effects. */
  readonly flag: FlagEffect | null;
}

/** An effect that a helper has unless a flag is known to be clear. */
export interface FlagEffect {
  /** Index of the argument with the flags, from 0. */
  readonly argument: number;
  readonly bit: number;
  readonly effect: EffectName;
  /** What it then does, for evidence: `walks the user's stack`. */
  readonly does: string;
}

/** BPF_F_USER_STACK of include/uapi/linux/bpf.h. */
const userStack = (argument: number): FlagEffect => ({
  argument,
  bit: 1 << 8,
  effect: "reads_user_memory",
  does: "walks the user's stack",
});

/**
 * BPF_SK_STORAGE_GET_F_CREATE: sk_storage_charge of net/core/bpf_sk_storage.c adds to sk_omem_alloc, which
 * net.core.optmem_max limits, so that the socket's later calls fail that need such memory.
 */
const SOCKET_STORAGE: FlagEffect = {
  argument: 3,
  bit: 1,
  effect: "changes_socket",
  does: "can charge storage to the socket's option memory",
};

/** Whether the helper prints by a format string. What it reads then depends on the format. */
export function formats(row: HelperRow): boolean {
  return row.args.includes("t");
}

function row(
  id: number,
  name: string,
  args: string,
  effects: readonly EffectName[],
  more: Partial<HelperRow> = {},
): HelperRow {
  return {
    id,
    name,
    args,
    effects,
    harmless: false,
    returns: "number",
    writesMap: false,
    changesPacket: false,
    flag: null,
    ...more,
  };
}

const ROWS: readonly HelperRow[] = [
  row(1, "map_lookup_elem", "mr", [], { returns: "map_value" }),
  row(2, "map_update_elem", "mrr-", [], { writesMap: true }),
  row(3, "map_delete_elem", "mr", [], { writesMap: true }),
  row(4, "probe_read", "w-x", ["reads_kernel_memory", "reads_user_memory"]),
  row(5, "ktime_get_ns", "", []),
  row(6, "trace_printk", "t----", []),
  row(7, "get_prandom_u32", "", []),
  row(8, "get_smp_processor_id", "", []),
  row(9, "skb_store_bytes", "c-r--", ["writes_packet"], { changesPacket: true }),
  row(10, "l3_csum_replace", "c----", ["writes_packet"], { changesPacket: true }),
  row(11, "l4_csum_replace", "c----", ["writes_packet"], { changesPacket: true }),
  row(12, "tail_call", "cm-", ["tail_calls"]),
  row(13, "clone_redirect", "c--", ["writes_packet", "redirects"], { changesPacket: true }),
  row(14, "get_current_pid_tgid", "", []),
  row(15, "get_current_uid_gid", "", []),
  row(16, "get_current_comm", "w-", []),
  row(17, "get_cgroup_classid", "c", []),
  row(18, "skb_vlan_push", "c--", ["writes_packet"], { changesPacket: true }),
  row(19, "skb_vlan_pop", "c", ["writes_packet"], { changesPacket: true }),
  row(20, "skb_get_tunnel_key", "cw--", []),
  row(21, "skb_set_tunnel_key", "cr--", ["writes_packet"]),
  row(22, "perf_event_read", "m-", []),
  row(23, "redirect", "--", ["redirects"]),
  row(24, "get_route_realm", "c", []),
  row(25, "perf_event_output", "cm-r-", [], { writesMap: true }),
  row(26, "skb_load_bytes", "c-w-", []),
  row(27, "get_stackid", "cm-", ["reads_kernel_memory"], { writesMap: true, flag: userStack(2) }),
  row(28, "csum_diff", "r-r--", []),
  row(29, "skb_get_tunnel_opt", "cw-", []),
  row(30, "skb_set_tunnel_opt", "cr-", ["writes_packet"]),
  row(31, "skb_change_proto", "c--", ["writes_packet"], { changesPacket: true }),
  row(32, "skb_change_type", "c-", ["writes_packet"]),
  row(33, "skb_under_cgroup", "cm-", []),
  row(34, "get_hash_recalc", "c", ["writes_packet"]),
  row(35, "get_current_task", "", ["reads_kernel_memory"]),
  row(36, "probe_write_user", "xr-", ["writes_user_memory"]),
  row(37, "current_task_under_cgroup", "m-", []),
  row(38, "skb_change_tail", "c--", ["writes_packet"], { changesPacket: true }),
  row(39, "skb_pull_data", "c-", ["writes_packet"], { changesPacket: true }),
  row(40, "csum_update", "c-", ["writes_packet"]),
  row(41, "set_hash_invalid", "c", ["writes_packet"]),
  row(42, "get_numa_node_id", "", []),
  row(43, "skb_change_head", "c--", ["writes_packet"], { changesPacket: true }),
  row(44, "xdp_adjust_head", "c-", ["writes_packet"], { changesPacket: true }),
  row(45, "probe_read_str", "w-x", ["reads_kernel_memory", "reads_user_memory"]),
  // __sock_gen_cookie of net/core/sock_diag.c assigns the cookie at the first request.
  row(46, "get_socket_cookie", "c", ["changes_socket"], { harmless: true }),
  row(47, "get_socket_uid", "c", []),
  row(48, "set_hash", "c-", ["writes_packet"]),
  row(49, "setsockopt", "c--r-", ["changes_socket"]),
  row(50, "skb_adjust_room", "c---", ["writes_packet"], { changesPacket: true }),
  row(51, "redirect_map", "m--", ["redirects"]),
  row(52, "sk_redirect_map", "cm--", ["redirects"]),
  row(53, "sock_map_update", "cmr-", ["changes_socket"], { writesMap: true }),
  row(54, "xdp_adjust_meta", "c-", ["writes_packet"], { changesPacket: true }),
  row(55, "perf_event_read_value", "m-w-", []),
  row(56, "perf_prog_read_value", "cw-", []),
  row(57, "getsockopt", "c--w-", []),
  row(58, "override_return", "c-", ["overrides_return"]),
  row(59, "sock_ops_cb_flags_set", "c-", ["changes_socket"]),
  row(60, "msg_redirect_map", "cm--", ["redirects"]),
  row(61, "msg_apply_bytes", "c-", ["decides"]),
  row(62, "msg_cork_bytes", "c-", ["decides"]),
  row(63, "msg_pull_data", "c---", ["writes_packet"], { changesPacket: true }),
  row(64, "bind", "cr-", ["changes_socket"]),
  row(65, "xdp_adjust_tail", "c-", ["writes_packet"], { changesPacket: true }),
  row(66, "skb_get_xfrm_state", "c-w--", []),
  row(67, "get_stack", "cw--", ["reads_kernel_memory"], { flag: userStack(3) }),
  row(68, "skb_load_bytes_relative", "c-w--", []),
  row(69, "fib_lookup", "cw--", []),
  row(70, "sock_hash_update", "cmr-", ["changes_socket"], { writesMap: true }),
  row(71, "msg_redirect_hash", "cmr-", ["redirects"]),
  row(72, "sk_redirect_hash", "cmr-", ["redirects"]),
  row(73, "lwt_push_encap", "c-r-", ["writes_packet"], { changesPacket: true }),
  row(74, "lwt_seg6_store_bytes", "c-r-", ["writes_packet"], { changesPacket: true }),
  row(75, "lwt_seg6_adjust_srh", "c--", ["writes_packet"], { changesPacket: true }),
  row(76, "lwt_seg6_action", "c-r-", ["writes_packet"], { changesPacket: true }),
  row(77, "rc_repeat", "c", ["changes_kernel_state"]),
  row(78, "rc_keydown", "c---", ["changes_kernel_state"]),
  row(79, "skb_cgroup_id", "c", []),
  row(80, "get_current_cgroup_id", "", []),
  row(81, "get_local_storage", "m-", [], { returns: "map_value" }),
  row(82, "sk_select_reuseport", "cmr-", ["redirects"], { writesMap: true }),
  row(83, "skb_ancestor_cgroup_id", "c-", []),
  row(84, "sk_lookup_tcp", "cr---", [], { returns: "socket" }),
  row(85, "sk_lookup_udp", "cr---", [], { returns: "socket" }),
  row(86, "sk_release", "o", []),
  row(87, "map_push_elem", "mr-", [], { writesMap: true }),
  row(88, "map_pop_elem", "mw", [], { writesMap: true }),
  row(89, "map_peek_elem", "mw", []),
  row(90, "msg_push_data", "c---", ["writes_packet"], { changesPacket: true }),
  row(91, "msg_pop_data", "c---", ["writes_packet"], { changesPacket: true }),
  row(92, "rc_pointer_rel", "c--", ["changes_kernel_state"]),
  row(93, "spin_lock", "w", []),
  row(94, "spin_unlock", "w", []),
  row(95, "sk_fullsock", "o", [], { returns: "socket" }),
  row(96, "tcp_sock", "o", [], { returns: "socket" }),
  row(97, "skb_ecn_set_ce", "c", ["writes_packet"]),
  row(98, "get_listener_sock", "o", [], { returns: "socket" }),
  row(99, "skc_lookup_tcp", "cr---", [], { returns: "socket" }),
  row(100, "tcp_check_syncookie", "or-r-", []),
  row(101, "sysctl_get_name", "cw--", []),
  row(102, "sysctl_get_current_value", "cw-", []),
  row(103, "sysctl_get_new_value", "cw-", []),
  row(104, "sysctl_set_new_value", "cr-", ["changes_kernel_state", "overrides_return"]),
  row(105, "strtol", "r--w", []),
  row(106, "strtoul", "r--w", []),
  row(107, "sk_storage_get", "mor-", [], { returns: "map_value", writesMap: true, flag: SOCKET_STORAGE }),
  // It returns the memory that was charged, after which no call fails.
  row(108, "sk_storage_delete", "mo", ["changes_socket"], { harmless: true, writesMap: true }),
  row(109, "send_signal", "-", ["sends_signal"]),
  row(110, "tcp_gen_syncookie", "or-r-", ["changes_socket"]),
  row(111, "skb_output", "cm-r-", ["reads_kernel_memory"], { writesMap: true }),
  row(112, "probe_read_user", "w-x", ["reads_user_memory"]),
  row(113, "probe_read_kernel", "w-x", ["reads_kernel_memory"]),
  row(114, "probe_read_user_str", "w-x", ["reads_user_memory"]),
  row(115, "probe_read_kernel_str", "w-x", ["reads_kernel_memory"]),
  row(116, "tcp_send_ack", "o-", ["changes_socket"]),
  row(117, "send_signal_thread", "-", ["sends_signal"]),
  row(118, "jiffies64", "", []),
  row(119, "read_branch_records", "cw--", ["reads_kernel_memory"]),
  row(120, "get_ns_current_pid_tgid", "--w-", []),
  row(121, "xdp_output", "cm-r-", ["reads_kernel_memory"], { writesMap: true }),
  row(122, "get_netns_cookie", "c", []),
  row(123, "get_current_ancestor_cgroup_id", "-", []),
  row(124, "sk_assign", "co-", ["redirects"]),
  row(125, "ktime_get_boot_ns", "", []),
  row(126, "seq_printf", "ot-r-", []),
  row(127, "seq_write", "or-", []),
  row(128, "sk_cgroup_id", "o", []),
  row(129, "sk_ancestor_cgroup_id", "o-", []),
  row(130, "ringbuf_output", "mr--", [], { writesMap: true }),
  row(131, "ringbuf_reserve", "m--", [], { returns: "memory", writesMap: true }),
  row(132, "ringbuf_submit", "w-", []),
  row(133, "ringbuf_discard", "w-", []),
  row(134, "ringbuf_query", "m-", []),
  row(135, "csum_level", "c-", ["writes_packet"]),
  row(136, "skc_to_tcp6_sock", "o", [], { returns: "kernel" }),
  row(137, "skc_to_tcp_sock", "o", [], { returns: "kernel" }),
  row(138, "skc_to_tcp_timewait_sock", "o", [], { returns: "kernel" }),
  row(139, "skc_to_tcp_request_sock", "o", [], { returns: "kernel" }),
  row(140, "skc_to_udp6_sock", "o", [], { returns: "kernel" }),
  row(141, "get_task_stack", "ow--", ["reads_kernel_memory"], { flag: userStack(3) }),
  row(142, "load_hdr_opt", "cw--", []),
  row(143, "store_hdr_opt", "cr--", ["writes_packet"], { changesPacket: true }),
  row(144, "reserve_hdr_opt", "c--", ["writes_packet"]),
  row(145, "inode_storage_get", "mor-", [], { returns: "map_value", writesMap: true }),
  row(146, "inode_storage_delete", "mo", [], { writesMap: true }),
  row(147, "d_path", "ow-", ["reads_kernel_memory"]),
  row(148, "copy_from_user", "w-x", ["reads_user_memory"]),
  row(149, "snprintf_btf", "w-r--", ["reads_kernel_memory"]),
  row(150, "seq_printf_btf", "or--", ["reads_kernel_memory"]),
  row(151, "skb_cgroup_classid", "c", []),
  row(152, "redirect_neigh", "-r--", ["redirects"]),
  row(153, "per_cpu_ptr", "o-", ["reads_kernel_memory"], { returns: "kernel" }),
  row(154, "this_cpu_ptr", "o", ["reads_kernel_memory"], { returns: "kernel" }),
  row(155, "redirect_peer", "--", ["redirects"]),
  row(156, "task_storage_get", "mor-", [], { returns: "map_value", writesMap: true }),
  row(157, "task_storage_delete", "mo", [], { writesMap: true }),
  row(158, "get_current_task_btf", "", ["reads_kernel_memory"], { returns: "kernel" }),
  row(159, "bprm_opts_set", "o-", ["changes_kernel_state", "overrides_return"]),
  row(160, "ktime_get_coarse_ns", "", []),
  row(161, "ima_inode_hash", "ow-", ["reads_kernel_memory"]),
  row(162, "sock_from_file", "o", [], { returns: "kernel" }),
  row(163, "check_mtu", "c-w--", []),
  row(164, "for_each_map_elem", "mfd-", []),
  row(165, "snprintf", "w-tr-", []),
  row(166, "sys_bpf", "-w-", ["calls_bpf"]),
  row(167, "btf_find_by_name_kind", "r---", ["calls_bpf"]),
  row(168, "sys_close", "-", ["calls_bpf"]),
  row(169, "timer_init", "wm-", []),
  row(170, "timer_set_callback", "wf", []),
  row(171, "timer_start", "w--", []),
  row(172, "timer_cancel", "w", []),
  row(173, "get_func_ip", "c", []),
  row(174, "get_attach_cookie", "c", []),
  row(175, "task_pt_regs", "o", ["reads_kernel_memory"], { returns: "kernel" }),
  row(176, "get_branch_snapshot", "w--", ["reads_kernel_memory"]),
  row(177, "trace_vprintk", "t-r-", []),
  row(178, "skc_to_unix_sock", "o", [], { returns: "kernel" }),
  row(179, "kallsyms_lookup_name", "r--w", ["reads_kernel_memory"]),
  row(180, "find_vma", "o-fd-", ["reads_kernel_memory"]),
  row(181, "loop", "-fd-", []),
  row(182, "strncmp", "r-r", []),
  row(183, "get_func_arg", "c-w", []),
  row(184, "get_func_ret", "cw", []),
  row(185, "get_func_arg_cnt", "c", []),
  row(186, "get_retval", "", []),
  row(187, "set_retval", "-", ["decides", "overrides_return"]),
  row(188, "xdp_get_buff_len", "c", []),
  row(189, "xdp_load_bytes", "c-w-", []),
  row(190, "xdp_store_bytes", "c-r-", ["writes_packet"]),
  row(191, "copy_from_user_task", "w-xo-", ["reads_user_memory"]),
  row(192, "skb_set_tstamp", "c--", ["writes_packet"]),
  row(193, "ima_file_hash", "ow-", ["reads_kernel_memory"]),
  row(194, "kptr_xchg", "wo", [], { returns: "kernel" }),
  row(195, "map_lookup_percpu_elem", "mr-", [], { returns: "map_value" }),
  row(196, "skc_to_mptcp_sock", "o", [], { returns: "kernel" }),
  row(197, "dynptr_from_mem", "w--w", []),
  row(198, "ringbuf_reserve_dynptr", "m--w", [], { writesMap: true }),
  row(199, "ringbuf_submit_dynptr", "w-", []),
  row(200, "ringbuf_discard_dynptr", "w-", []),
  row(201, "dynptr_read", "w-y--", []),
  row(202, "dynptr_write", "z-r--", []),
  row(203, "dynptr_data", "y--", [], { returns: "dynptr" }),
  row(204, "tcp_raw_gen_syncookie_ipv4", "rr-", []),
  row(205, "tcp_raw_gen_syncookie_ipv6", "rr-", []),
  row(206, "tcp_raw_check_syncookie_ipv4", "rr", []),
  row(207, "tcp_raw_check_syncookie_ipv6", "rr", []),
  row(208, "ktime_get_tai_ns", "", []),
  row(209, "user_ringbuf_drain", "mfd-", [], { writesMap: true }),
  row(210, "cgrp_storage_get", "mor-", [], { returns: "map_value", writesMap: true }),
  row(211, "cgrp_storage_delete", "mo", [], { writesMap: true }),
];

/**
 * The behaviour of each helper function, by its id (`__BPF_FUNC_MAPPER` of include/uapi/linux/bpf.h, whose ids 0 to 211
 * are fixed). Arguments are as in libbpf's bpf_helper_defs.h. A helper after the last row is unknown, so it may have
 * every effect.
 */
export const HELPER_ROWS: readonly (HelperRow | undefined)[] = [undefined, ...ROWS];
