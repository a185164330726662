import { type ArgumentMemory, bytes, type Extent, keeps, reads, sized, updates, writes } from "./argument-access.js";

type Row = readonly [name: string, memory: readonly ArgumentMemory[]];

/** The kernel's functions that are not named as their helpers. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  lwt_push_encap: "bpf_lwt_in_push_encap",
  setsockopt: "bpf_sk_setsockopt",
  sk_select_reuseport: "sk_select_reuseport",
  skb_output: "bpf_skb_event_output",
  store_hdr_opt: "bpf_sock_ops_store_hdr_opt",
  xdp_output: "bpf_xdp_event_output",
};

/** The helpers of one source file that only read: for each, by index of the argument, how many bytes. */
function read(file: string, rows: Readonly<Record<string, Readonly<Record<number, Extent>>>>): readonly Row[] {
  return Object.entries(rows).map(([name, extents]) => [
    name,
    Object.entries(extents).map(([index, extent]) =>
      reads(Number(index), extent, `${file}: ${FUNCTIONS[name] ?? `bpf_${name}`}`),
    ),
  ]);
}

const CORE = "kernel/bpf/helpers.c";
const CGROUP = "kernel/bpf/cgroup.c";
const STACK = "kernel/bpf/stackmap.c";
const TRACE = "kernel/trace/bpf_trace.c";
const FILTER = "net/core/filter.c";

const READ: readonly Row[] = [
  ...read(CORE, {
    map_lookup_elem: { 1: "key" },
    map_update_elem: { 1: "key", 2: "value" },
    map_delete_elem: { 1: "key" },
    map_push_elem: { 1: "value" },
    map_lookup_percpu_elem: { 1: "key" },
    strncmp: { 0: sized(1) },
    dynptr_write: { 2: sized(3) },
  }),
  ...read("kernel/bpf/ringbuf.c", { ringbuf_output: { 1: sized(2) } }),
  ...read("kernel/bpf/syscall.c", { sys_bpf: { 1: sized(2) } }),
  ...read("kernel/bpf/btf.c", { btf_find_by_name_kind: { 0: sized(1) } }),
  ...read("kernel/bpf/bpf_inode_storage.c", { inode_storage_get: { 2: "value" } }),
  ...read("kernel/bpf/bpf_task_storage.c", { task_storage_get: { 2: "value" } }),
  ...read("kernel/bpf/bpf_cgrp_storage.c", { cgrp_storage_get: { 2: "value" } }),
  ...read(CGROUP, { sysctl_set_new_value: { 1: sized(2) } }),
  ...read(TRACE, {
    trace_printk: { 0: sized(1) },
    trace_vprintk: { 0: sized(1), 2: sized(3) },
    perf_event_output: { 3: sized(4) },
    probe_write_user: { 1: sized(2) },
    seq_printf: { 1: sized(2), 3: sized(4) },
    seq_write: { 1: sized(2) },
    seq_printf_btf: { 1: sized(2) },
  }),
  ...read("net/core/bpf_sk_storage.c", { sk_storage_get: { 2: "value" } }),
  ...read("net/core/sock_map.c", {
    sock_map_update: { 2: "key" },
    sock_hash_update: { 2: "key" },
    msg_redirect_hash: { 2: "key" },
    sk_redirect_hash: { 2: "key" },
  }),
  ...read(FILTER, {
    skb_store_bytes: { 2: sized(3) },
    csum_diff: { 0: sized(1), 2: sized(3) },
    skb_set_tunnel_key: { 1: sized(2) },
    skb_set_tunnel_opt: { 1: sized(2) },
    setsockopt: { 3: sized(4) },
    bind: { 1: sized(2) },
    lwt_push_encap: { 2: sized(3) },
    lwt_seg6_store_bytes: { 2: sized(3) },
    lwt_seg6_action: { 2: sized(3) },
    sk_select_reuseport: { 2: "key" },
    sk_lookup_tcp: { 1: sized(2) },
    sk_lookup_udp: { 1: sized(2) },
    skc_lookup_tcp: { 1: sized(2) },
    tcp_check_syncookie: { 1: sized(2), 3: sized(4) },
    tcp_gen_syncookie: { 1: sized(2), 3: sized(4) },
    // struct iphdr, ipv6hdr and tcphdr without options.
    tcp_raw_gen_syncookie_ipv4: { 0: bytes(20), 1: sized(2) },
    tcp_raw_gen_syncookie_ipv6: { 0: bytes(40), 1: sized(2) },
    tcp_raw_check_syncookie_ipv4: { 0: bytes(20), 1: bytes(20) },
    tcp_raw_check_syncookie_ipv6: { 0: bytes(40), 1: bytes(20) },
    skb_output: { 3: sized(4) },
    xdp_output: { 3: sized(4) },
    store_hdr_opt: { 1: sized(2) },
    redirect_neigh: { 1: sized(2) },
    xdp_store_bytes: { 2: sized(3) },
  }),
];

/** Of helpers that write. A comment above a row says why it claims less than its kernel code suggests. */
const WRITTEN: readonly Row[] = [
  // The kernel's memory.
  ["probe_read", [writes(0, sized(1), "always", `${TRACE}: bpf_probe_read_compat; both branches clear on failure`)]],
  ["probe_read_str", [writes(0, sized(1), "result_bytes", `${TRACE}: bpf_probe_read_compat_str`)]],
  ["probe_read_kernel", [writes(0, sized(1), "always", `${TRACE}: bpf_probe_read_kernel_common clears on failure`)]],
  [
    "probe_read_kernel_str",
    [writes(0, sized(1), "result_bytes", "mm/maccess.c: strncpy_from_kernel_nofault returns the length with the NUL")],
  ],
  ["get_func_arg", [writes(2, bytes(8), "on_success", `${TRACE}: get_func_arg; nothing for an index that is too big`)]],
  ["get_func_ret", [writes(1, bytes(8), "on_success", `${TRACE}: get_func_ret`)]],
  // bpf_get_stack_raw_tp and, before 6.12, bpf_get_task_stack return some errors without clearing.
  ["get_stack", [writes(1, sized(2), "on_success", `${STACK}: __bpf_get_stack clears what follows the frames`)]],
  ["get_task_stack", [writes(1, sized(2), "on_success", `${STACK}: __bpf_get_stack clears what follows the frames`)]],
  // With BPF_F_GET_BRANCH_RECORDS_SIZE r0 is the size of what it could write.
  ["read_branch_records", [writes(1, sized(2), "no", `${TRACE}: bpf_read_branch_records`)]],
  // What it writes is up to the driver of the PMU.
  ["get_branch_snapshot", [writes(0, sized(1), "no", `${TRACE}: bpf_get_branch_snapshot`)]],
  [
    "snprintf_btf",
    [
      writes(0, sized(1), "result_bytes", "kernel/bpf/btf.c: btf_snprintf_show writes without gaps, r0 can be larger"),
      reads(2, sized(3), `${TRACE}: bpf_snprintf_btf`),
    ],
  ],
  ["d_path", [writes(1, sized(2), "result_bytes", `${TRACE}: bpf_d_path moves len bytes to the front`)]],
  // The digest can be shorter than the buffer, and r0 is its algorithm.
  ["ima_inode_hash", [writes(1, sized(2), "no", "security/integrity/ima/ima_main.c: __ima_inode_hash")]],
  ["ima_file_hash", [writes(1, sized(2), "no", "security/integrity/ima/ima_main.c: __ima_inode_hash")]],
  [
    "kallsyms_lookup_name",
    [
      reads(0, sized(1), "kernel/bpf/syscall.c: bpf_kallsyms_lookup_name"),
      writes(3, bytes(8), "always", "kernel/bpf/syscall.c: bpf_kallsyms_lookup_name begins with *res = 0"),
    ],
  ],
  // Memory of processes.
  ["probe_read_user", [writes(0, sized(1), "always", `${TRACE}: bpf_probe_read_user_common clears on failure`)]],
  [
    "probe_read_user_str",
    [writes(0, sized(1), "result_bytes", "mm/maccess.c: strncpy_from_user_nofault returns the length with the NUL")],
  ],
  ["copy_from_user", [writes(0, sized(1), "always", `${CORE}: bpf_copy_from_user clears on failure`)]],
  ["copy_from_user_task", [writes(0, sized(1), "on_success", `${CORE}: bpf_copy_from_user_task; not for bad flags`)]],
  // strscpy of 6.1 leaves what follows the word with the NUL as it was; later kernels have strscpy_pad.
  ["get_current_comm", [writes(0, sized(1), "no", `${CORE}: bpf_get_current_comm`)]],
  [
    "get_ns_current_pid_tgid",
    [writes(2, sized(3), "always", `${CORE}: bpf_get_ns_current_pid_tgid clears on failure`)],
  ],
  // Counters.
  ["perf_event_read_value", [writes(2, sized(3), "always", `${TRACE}: bpf_perf_event_read_value clears on failure`)]],
  ["perf_prog_read_value", [writes(1, sized(2), "always", `${TRACE}: bpf_perf_prog_read_value clears on failure`)]],
  // Packets.
  ["skb_load_bytes", [writes(2, sized(3), "always", `${FILTER}: bpf_skb_load_bytes clears on failure`)]],
  [
    "skb_load_bytes_relative",
    [writes(2, sized(3), "always", `${FILTER}: bpf_skb_load_bytes_relative clears on failure`)],
  ],
  ["xdp_load_bytes", [writes(2, sized(3), "on_success", `${FILTER}: __bpf_xdp_load_bytes`)]],
  ["skb_get_tunnel_key", [writes(1, sized(2), "always", `${FILTER}: bpf_skb_get_tunnel_key clears on failure`)]],
  [
    "skb_get_tunnel_opt",
    [writes(1, sized(2), "always", `${FILTER}: bpf_skb_get_tunnel_opt clears on failure and behind the options`)],
  ],
  ["skb_get_xfrm_state", [writes(2, sized(3), "always", `${FILTER}: bpf_skb_get_xfrm_state clears on failure`)]],
  ["load_hdr_opt", [updates(1, sized(2), "result_bytes", `${FILTER}: bpf_sock_ops_load_hdr_opt`)]],
  // It fills only those fields that the kind of lookup has.
  ["fib_lookup", [updates(1, sized(2), "no", `${FILTER}: bpf_ipv4_fib_lookup`)]],
  ["check_mtu", [updates(2, bytes(4), "on_success", `${FILTER}: bpf_skb_check_mtu; not for errors`)]],
  // Sockets and sysctl.
  // Since 7.x bpf_sock_ops_getsockopt returns -EOPNOTSUPP for an unlocked socket without clearing.
  ["getsockopt", [writes(3, sized(4), "on_success", `${FILTER}: __bpf_getsockopt clears on failure and what is left`)]],
  ["sysctl_get_name", [writes(1, sized(2), "result_bytes", `${CGROUP}: bpf_sysctl_get_name; r0 is without the NUL`)]],
  ["sysctl_get_current_value", [writes(1, sized(2), "always", `${CGROUP}: copy_sysctl_value clears what is left`)]],
  ["sysctl_get_new_value", [writes(1, sized(2), "always", `${CGROUP}: copy_sysctl_value clears what is left`)]],
  // Maps.
  // Before 6.12 __queue_map_get returns -EBUSY without clearing if an NMI finds the lock taken.
  ["map_pop_elem", [writes(1, "value", "on_success", "kernel/bpf/queue_stack_maps.c: __queue_map_get")]],
  // resolve_map_arg_type of kernel/bpf/verifier.c: bloom_map_peek_elem reads the value, and writes nothing.
  [
    "map_peek_elem",
    [
      {
        ...updates(1, "value", "on_success", "kernel/bpf/queue_stack_maps.c: __queue_map_get"),
        readOfMap: "bloom_filter",
      },
    ],
  ],
  // Dynptrs. dynptr_from_mem writes nothing to its memory, which is that of a map value.
  [
    "dynptr_from_mem",
    [writes(0, sized(1), "no", `${CORE}: bpf_dynptr_from_mem`), keeps(3, 16, `${CORE}: bpf_dynptr_from_mem`)],
  ],
  ["ringbuf_reserve_dynptr", [keeps(3, 16, "kernel/bpf/ringbuf.c: bpf_ringbuf_reserve_dynptr")]],
  ["ringbuf_submit_dynptr", [keeps(0, 16, "kernel/bpf/ringbuf.c: bpf_ringbuf_submit_dynptr")]],
  ["ringbuf_discard_dynptr", [keeps(0, 16, "kernel/bpf/ringbuf.c: bpf_ringbuf_discard_dynptr")]],
  ["dynptr_read", [writes(0, sized(1), "on_success", `${CORE}: bpf_dynptr_read`)]],
  // Strings.
  [
    "strtol",
    [reads(0, sized(1), `${CORE}: bpf_strtol`), writes(3, bytes(8), "always", `${CORE}: bpf_strtol sets *res = 0`)],
  ],
  [
    "strtoul",
    [reads(0, sized(1), `${CORE}: bpf_strtoul`), writes(3, bytes(8), "always", `${CORE}: bpf_strtoul sets *res = 0`)],
  ],
  [
    "snprintf",
    [
      writes(0, sized(1), "result_bytes", "lib/vsprintf.c: bstr_printf writes without gaps, r0 can be larger"),
      reads(3, sized(4), `${CORE}: bpf_snprintf`),
    ],
  ],
];

/** By name of the helper without `bpf_`. */
export const HELPER_MEMORY_ROWS: readonly Row[] = [...READ, ...WRITTEN];
