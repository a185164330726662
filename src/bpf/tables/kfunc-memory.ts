import { type ArgumentMemory, bytes, type Extent, keeps, reads, sized, updates, writes } from "./argument-access.js";

type Row = readonly [name: string, memory: readonly ArgumentMemory[]];

const CORE = "kernel/bpf/helpers.c";
const CPUMASK = "kernel/bpf/cpumask.c";
const CRYPTO = "kernel/bpf/crypto.c";
const FILES = "fs/bpf_fs_kfuncs.c";
const FILTER = "net/core/filter.c";
const HID = "drivers/hid/bpf/hid_bpf_dispatch.c";
const KSOCK = "net/core/bpf_ksock.c";
const LOCK = "kernel/bpf/rqspinlock.c";
const TRACE = "kernel/trace/bpf_trace.c";
const XDP = "net/core/xdp.c";

/** Kfuncs of one source file that only read the same arguments: for each index, how many bytes. */
function read(file: string, names: string, extents: Readonly<Record<number, Extent>>): readonly Row[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) => [
      name,
      Object.entries(extents).map(([index, extent]) => reads(Number(index), extent, `${file}: ${name}`)),
    ]);
}

/** The `new`, `next` and `destroy` of an iterator, whose struct of this size is in the stack. */
function iterator(kind: string, size: number, file: string): readonly Row[] {
  return ["new", "next", "destroy"].map((verb) => {
    const name = `bpf_iter_${kind}_${verb}`;
    return [name, [keeps(0, size, `${file}: ${name}`)]];
  });
}

const STACK_STATE: readonly Row[] = [
  ...iterator("css", 24, "kernel/bpf/cgroup_iter.c"),
  ...iterator("css_task", 8, "kernel/bpf/task_iter.c"),
  ...iterator("dmabuf", 8, "kernel/bpf/dmabuf_iter.c"),
  ...iterator("kmem_cache", 8, "kernel/bpf/kmem_cache_iter.c"),
  ...iterator("num", 8, "kernel/bpf/bpf_iter.c"),
  ...iterator("scx_dsq", 48, "kernel/sched/ext/ext.c"),
  ...iterator("task", 24, "kernel/bpf/task_iter.c"),
  ...iterator("task_vma", 8, "kernel/bpf/task_iter.c"),
  ...iterator("bits", 16, CORE).slice(1),
  // Its words come from any address (__ign), as with probe_read_kernel.
  [
    "bpf_iter_bits_new",
    [keeps(0, 16, `${CORE}: bpf_iter_bits_new`), reads(1, "unknown", `${CORE}: bpf_iter_bits_new`)],
  ],
  ["scx_bpf_dsq_move", [keeps(0, 48, "kernel/sched/ext/ext.c: scx_bpf_dsq_move")]],
  ["bpf_dynptr_clone", [keeps(1, 16, `${CORE}: bpf_dynptr_clone`)]],
  ["bpf_dynptr_from_file", [keeps(2, 16, `${CORE}: bpf_dynptr_from_file`)]],
  ["bpf_dynptr_from_skb", [keeps(2, 16, `${FILTER}: bpf_dynptr_from_skb`)]],
  ["bpf_dynptr_from_skb_meta", [keeps(2, 16, `${FILTER}: bpf_dynptr_from_skb_meta`)]],
  ["bpf_dynptr_from_xdp", [keeps(2, 16, `${FILTER}: bpf_dynptr_from_xdp`)]],
  ["bpf_local_irq_save", [keeps(0, 8, `${CORE}: bpf_local_irq_save`)]],
  ["bpf_local_irq_restore", [keeps(0, 8, `${CORE}: bpf_local_irq_restore`)]],
  ["bpf_res_spin_lock_irqsave", [keeps(1, 8, `${LOCK}: bpf_res_spin_lock_irqsave`)]],
  ["bpf_res_spin_unlock_irqrestore", [keeps(1, 8, `${LOCK}: bpf_res_spin_unlock_irqrestore`)]],
];

/** What is read from any address, the stack included: the verifier does not check arguments with `__ign`. */
const UNCHECKED: readonly Row[] = [
  ...read(CORE, "bpf_strchr bpf_strchrnul bpf_strlen bpf_strnchr bpf_strnlen bpf_strrchr", { 0: "unknown" }),
  ...read(
    CORE,
    `bpf_strcasecmp bpf_strcasestr bpf_strcmp bpf_strcspn bpf_strncasecmp bpf_strncasestr bpf_strnstr bpf_strspn
    bpf_strstr`,
    { 0: "unknown", 1: "unknown" },
  ),
  ...read(TRACE, "bpf_probe_read_kernel_dynptr bpf_probe_read_kernel_str_dynptr", { 3: "unknown" }),
  ...read(CORE, "bpf_rdonly_cast", { 0: "unknown" }),
];

/** Addresses of processes, which access_ok or access_process_vm check. */
const OF_PROCESSES: readonly Row[] = `bpf_copy_from_user_dynptr bpf_copy_from_user_str_dynptr
  bpf_copy_from_user_task_dynptr bpf_copy_from_user_task_str_dynptr bpf_probe_read_user_dynptr
  bpf_probe_read_user_str_dynptr`
  .split(/\s+/)
  .map((name) => [name, [writes(3, "unknown", "no", `${TRACE}: ${name}`)]]);

/** A mask of the machine's CPUs (CONFIG_NR_CPUS), which exceeds the stack in distributions' kernels. */
const CPU_MASKS: readonly Row[] = [
  ...read(
    CPUMASK,
    `bpf_cpumask_any_distribute bpf_cpumask_empty bpf_cpumask_first bpf_cpumask_first_zero bpf_cpumask_full
    bpf_cpumask_weight`,
    { 0: "unknown" },
  ),
  ...read(
    CPUMASK,
    `bpf_cpumask_any_and_distribute bpf_cpumask_equal bpf_cpumask_first_and bpf_cpumask_intersects
    bpf_cpumask_subset`,
    { 0: "unknown", 1: "unknown" },
  ),
  ...read(CPUMASK, "bpf_cpumask_test_cpu bpf_cpumask_copy", { 1: "unknown" }),
  ...read(CPUMASK, "bpf_cpumask_and bpf_cpumask_or bpf_cpumask_xor", { 1: "unknown", 2: "unknown" }),
  ...read(CPUMASK, "bpf_cpumask_populate", { 1: sized(2) }),
  ...read(
    "kernel/sched/ext/idle.c",
    `scx_bpf_pick_any_cpu scx_bpf_pick_any_cpu_node scx_bpf_pick_idle_cpu scx_bpf_pick_idle_cpu_node
    scx_bpf_put_cpumask scx_bpf_put_idle_cpumask`,
    { 0: "unknown" },
  ),
  ...read("kernel/sched/ext/idle.c", "scx_bpf_select_cpu_and", { 3: "unknown" }),
];

const OPTIONS: readonly Row[] = [
  ...["bpf_skb_ct_alloc", "bpf_skb_ct_lookup", "bpf_xdp_ct_alloc", "bpf_xdp_ct_lookup"].map((name): Row => {
    const source = `net/netfilter/nf_conntrack_bpf.c: ${name}`;
    return [name, [reads(1, sized(2), source), updates(3, sized(4), "no", source)]];
  }),
  [
    "bpf_xdp_flow_lookup",
    [
      reads(1, bytes(64), "net/netfilter/nf_flow_table_bpf.c: bpf_xdp_flow_lookup"),
      writes(2, bytes(4), "no", "net/netfilter/nf_flow_table_bpf.c: bpf_xdp_flow_lookup; its error only if it fails"),
    ],
  ],
  ["bpf_xdp_get_xfrm_state", [updates(1, sized(2), "no", "net/xfrm/xfrm_state_bpf.c: bpf_xdp_get_xfrm_state")]],
  ...read("net/netfilter/nf_nat_bpf.c", "bpf_ct_set_nat_info", { 1: bytes(16) }),
  ...read("net/ipv4/fou_bpf.c", "bpf_skb_set_fou_encap", { 1: bytes(4) }),
  ...read("net/xfrm/xfrm_interface_bpf.c", "bpf_skb_set_xfrm_info", { 1: bytes(8) }),
  ...read(FILTER, "bpf_sk_assign_tcp_reqsk", { 2: sized(3) }),
  ...read(FILTER, "bpf_sock_addr_set_sun_path", { 1: sized(2) }),
  ...read("net/ipv4/tcp_cubic.c", "cubictcp_acked", { 1: bytes(12) }),
  ...read("kernel/crash_core.c", "crash_kexec", { 0: "unknown" }),
  // In 6.1 it is argument 1, in 6.12 argument 3.
  ...read("net/ipv4/tcp_bbr.c", "bbr_main", { 1: "unknown", 3: "unknown" }),
  ...read(KSOCK, "bpf_ksock_connect bpf_ksock_send", { 1: sized(2) }),
  [
    "bpf_ksock_create",
    [reads(0, sized(1), `${KSOCK}: bpf_ksock_create`), writes(2, bytes(4), "always", `${KSOCK}: bpf_ksock_create`)],
  ],
  [
    "bpf_crypto_ctx_create",
    [
      reads(0, sized(1), `${CRYPTO}: bpf_crypto_ctx_create`),
      writes(2, bytes(4), "always", `${CRYPTO}: bpf_crypto_ctx_create sets *err on every path`),
    ],
  ],
  ...read("kernel/sched/ext/ext.c", "__scx_bpf_dsq_insert_vtime", { 1: bytes(32) }),
  [
    "__scx_bpf_select_cpu_and",
    [
      reads(1, "unknown", "kernel/sched/ext/idle.c: __scx_bpf_select_cpu_and"),
      reads(2, bytes(24), "kernel/sched/ext/idle.c: __scx_bpf_select_cpu_and"),
    ],
  ],
  ...read("kernel/sched/ext/ext.c", "scx_bpf_dump_bstr scx_bpf_error_bstr", { 0: "unknown", 1: sized(2) }),
  ...read("kernel/sched/ext/ext.c", "scx_bpf_exit_bstr", { 1: "unknown", 2: sized(3) }),
  ...read("kernel/sched/ext/sub.c", "scx_bpf_sub_kill_bstr", { 1: "unknown", 2: sized(3) }),
  // bpf_stream_vprintk_impl is its name in 6.18.
  ["bpf_stream_vprintk", [reads(2, sized(3), "kernel/bpf/stream.c: bpf_stream_vprintk")]],
  ["bpf_stream_vprintk_impl", [reads(2, sized(3), "kernel/bpf/stream.c: bpf_stream_vprintk")]],
  ...read(HID, "hid_bpf_hw_output_report", { 1: sized(2) }),
  ...read(HID, "hid_bpf_input_report hid_bpf_try_input_report", { 2: sized(3) }),
];

const FILLED: readonly Row[] = [
  [
    "bpf_copy_from_user_str",
    [
      writes(0, sized(1), "result_bytes", `${CORE}: bpf_copy_from_user_str; r0 is the length with the NUL`),
      writes(2, "unknown", "no", `${CORE}: bpf_copy_from_user_str; an address of the process`),
    ],
  ],
  [
    "bpf_copy_from_user_task_str",
    [
      writes(0, sized(1), "result_bytes", "mm/memory.c: __copy_remote_vm_str returns the length without the NUL"),
      writes(2, "unknown", "no", `${CORE}: bpf_copy_from_user_task_str; an address of the process`),
    ],
  ],
  ["bpf_path_d_path", [writes(1, sized(2), "result_bytes", `${FILES}: bpf_path_d_path moves len bytes to the front`)]],
  // Only if the bytes are not contiguous does it copy, and then r0 points to the buffer.
  ["bpf_dynptr_slice", [writes(2, sized(3), "no", `${CORE}: bpf_dynptr_slice`)]],
  ["bpf_dynptr_slice_rdwr", [writes(2, sized(3), "no", `${CORE}: bpf_dynptr_slice_rdwr`)]],
  // Of all drivers: veth, virtio_net, bnxt, gve, ice, idpf, igc, mlx4, mlx5 and stmmac.
  [
    "bpf_xdp_metadata_rx_hash",
    [
      writes(1, bytes(4), "on_success", `${XDP}: bpf_xdp_metadata_rx_hash; the drivers' xmo_rx_hash`),
      writes(2, bytes(4), "on_success", `${XDP}: bpf_xdp_metadata_rx_hash; the drivers' xmo_rx_hash`),
    ],
  ],
  [
    "bpf_xdp_metadata_rx_timestamp",
    [writes(1, bytes(8), "on_success", `${XDP}: bpf_xdp_metadata_rx_timestamp; the drivers' xmo_rx_timestamp`)],
  ],
  [
    "bpf_xdp_metadata_rx_vlan_tag",
    [
      writes(1, bytes(2), "on_success", `${XDP}: bpf_xdp_metadata_rx_vlan_tag; the drivers' xmo_rx_vlan_tag`),
      writes(2, bytes(2), "on_success", `${XDP}: bpf_xdp_metadata_rx_vlan_tag; the drivers' xmo_rx_vlan_tag`),
    ],
  ],
  ["bpf_skb_get_fou_encap", [writes(1, bytes(4), "on_success", "net/ipv4/fou_bpf.c: bpf_skb_get_fou_encap")]],
  [
    "bpf_skb_get_xfrm_info",
    [writes(1, bytes(8), "on_success", "net/xfrm/xfrm_interface_bpf.c: bpf_skb_get_xfrm_info")],
  ],
  ["hid_bpf_hw_request", [updates(1, sized(2), "no", `${HID}: hid_bpf_hw_request`)]],
  // Since 7.x -ENODEV without writing.
  ["scx_bpf_select_cpu_dfl", [writes(3, bytes(1), "on_success", "kernel/sched/ext/idle.c: scx_bpf_select_cpu_dfl")]],
  // Nothing behind the kernel's struct, which can be shorter than the argument says.
  ["scx_bpf_events", [writes(0, sized(1), "no", "kernel/sched/ext/ext.c: scx_bpf_events")]],
  ["scx_bpf_cid_topo", [writes(1, sized(2), "always", "kernel/sched/ext/cid.c: scx_bpf_cid_topo begins with memset")]],
];

/** By name of the kfunc. */
export const KFUNC_MEMORY_ROWS: readonly Row[] = [
  ...STACK_STATE,
  ...UNCHECKED,
  ...OF_PROCESSES,
  ...CPU_MASKS,
  ...OPTIONS,
  ...FILLED,
];
