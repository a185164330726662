import type { EffectName } from "../model/facts.js";
import { KFUNC_ARGUMENTS } from "./kfunc-arguments.gen.js";

export interface KfuncRow {
  readonly name: string;
  readonly effects: readonly EffectName[];
  /**
   * The value of r0. `slice`: memory in the packet, in the source of the dynptr, or in the buffer of the third
   * argument. `arena`: a value of the map in the first argument.
   */
  readonly returns: "number" | "memory" | "kernel" | "slice" | "arena";
  /** One letter for each argument, as in kfunc-arguments.gen.ts; `O` is a kernel object that it writes. */
  readonly args: string;
  /** Indexes (from 0) of the dynptr arguments through which it does not write. */
  readonly reads: readonly number[];
  /** Whether it ends the program with a return value of its own. */
  readonly ends: boolean;
}

const KERNEL: EffectName = "reads_kernel_memory";
const USER: EffectName = "reads_user_memory";
const STATE: EffectName = "changes_kernel_state";
const SOCKET: EffectName = "changes_socket";
const PACKET: EffectName = "writes_packet";

type Group = readonly [effects: readonly EffectName[], returns: KfuncRow["returns"], names: string, ends?: true];

/**
 * The behaviour of each known kfunc besides access to the memory in its arguments (kernel/bpf/helpers.c and the files
 * of the subsystems, Linux 7.3). Memory, maps and dynptrs are in kfunc-arguments.gen.ts.
 */
const GROUPS: readonly Group[] = [
  // Locks, preemption, and reference counts of objects that the program already holds.
  [
    [],
    "number",
    `bpf_rcu_read_lock bpf_rcu_read_unlock bpf_preempt_disable bpf_preempt_enable bpf_local_irq_save
    bpf_local_irq_restore bpf_res_spin_lock bpf_res_spin_unlock bpf_res_spin_lock_irqsave
    bpf_res_spin_unlock_irqrestore bpf_task_release bpf_cgroup_release bpf_key_put bpf_put_file bpf_obj_drop_impl
    bpf_percpu_obj_drop_impl bpf_obj_drop bpf_percpu_obj_drop bpf_put_mem_cgroup bpf_cpumask_release
    bpf_crypto_ctx_release bpf_ct_release bpf_xdp_xfrm_state_release`,
  ],
  // Queries that return a number.
  [
    [],
    "number",
    `bpf_task_under_cgroup bpf_map_sum_elem_count bpf_session_is_return bpf_cpumask_first bpf_cpumask_first_zero
    bpf_cpumask_first_and bpf_cpumask_test_cpu bpf_cpumask_equal bpf_cpumask_intersects bpf_cpumask_subset
    bpf_cpumask_empty bpf_cpumask_full bpf_cpumask_weight bpf_cpumask_any_distribute
    bpf_cpumask_any_and_distribute bpf_dynptr_is_null bpf_dynptr_is_rdonly bpf_dynptr_size
    bpf_xdp_metadata_rx_timestamp bpf_xdp_metadata_rx_vlan_tag bpf_get_fsverity_digest bpf_list_empty
    bpf_list_is_first bpf_list_is_last bpf_mem_cgroup_memory_events bpf_mem_cgroup_page_state bpf_mem_cgroup_usage
    bpf_mem_cgroup_vm_events`,
  ],
  // Objects of the program: CPU masks, lists, trees, iterators, work queues, arenas.
  [
    [],
    "number",
    `bpf_cpumask_clear bpf_cpumask_clear_cpu bpf_cpumask_copy bpf_cpumask_set_cpu bpf_cpumask_setall bpf_cpumask_and
    bpf_cpumask_or bpf_cpumask_xor bpf_cpumask_test_and_clear_cpu
    bpf_cpumask_test_and_set_cpu bpf_list_push_back_impl bpf_list_push_front_impl bpf_rbtree_add_impl
    bpf_iter_num_new bpf_iter_num_destroy bpf_iter_bits_destroy bpf_iter_css_new bpf_iter_css_destroy
    bpf_iter_css_task_new bpf_iter_css_task_destroy bpf_iter_task_new bpf_iter_task_destroy
    bpf_iter_task_vma_new bpf_iter_task_vma_destroy bpf_iter_dmabuf_new bpf_iter_dmabuf_destroy
    bpf_iter_kmem_cache_new bpf_iter_kmem_cache_destroy bpf_wq_init bpf_wq_set_callback_impl bpf_wq_set_callback
    bpf_wq_start
    bpf_list_add bpf_list_push_back bpf_list_push_front bpf_rbtree_add bpf_timer_cancel_async bpf_dynptr_file_discard
    bpf_arena_free_pages bpf_arena_reserve_pages bpf_dynptr_adjust bpf_dynptr_clone bpf_dynptr_from_skb
    bpf_dynptr_from_skb_meta bpf_dynptr_from_xdp bpf_dynptr_copy bpf_dynptr_memset bpf_crypto_encrypt
    bpf_crypto_decrypt`,
  ],
  [
    [],
    "memory",
    `bpf_obj_new_impl bpf_percpu_obj_new_impl bpf_refcount_acquire_impl bpf_obj_new bpf_percpu_obj_new
    bpf_refcount_acquire bpf_list_del bpf_cpumask_create bpf_cpumask_acquire
    bpf_list_front bpf_list_back bpf_list_pop_front bpf_list_pop_back bpf_rbtree_first bpf_rbtree_left
    bpf_rbtree_right bpf_rbtree_root bpf_rbtree_remove bpf_iter_num_next bpf_iter_bits_next bpf_session_cookie
    bpf_crypto_ctx_acquire`,
  ],
  [[], "slice", "bpf_dynptr_slice bpf_dynptr_slice_rdwr"],
  [[], "arena", "bpf_arena_alloc_pages"],
  // Kernel objects. Reads through the returned pointers are found where they happen.
  [
    [],
    "kernel",
    `bpf_task_acquire bpf_task_from_pid bpf_task_from_vpid bpf_task_get_cgroup1 bpf_cgroup_acquire
    bpf_cgroup_ancestor bpf_cgroup_from_id bpf_get_task_exe_file bpf_cast_to_kern_ctx bpf_rdonly_cast
    bpf_iter_css_next bpf_iter_css_task_next bpf_iter_task_next bpf_iter_task_vma_next bpf_iter_dmabuf_next
    bpf_iter_kmem_cache_next bpf_get_kmem_cache bpf_lookup_system_key bpf_skb_ct_lookup
    bpf_xdp_ct_lookup bpf_xdp_get_xfrm_state bpf_get_mem_cgroup bpf_get_root_mem_cgroup bpf_real_data_inode`,
  ],
  // Memory of the kernel and of processes.
  [
    [KERNEL],
    "number",
    `bpf_strcmp bpf_strcasecmp bpf_strncasecmp bpf_strchr bpf_strchrnul bpf_strnchr bpf_strrchr bpf_strlen bpf_strnlen
    bpf_strspn bpf_strcspn bpf_strstr bpf_strnstr bpf_strcasestr bpf_strncasestr bpf_iter_bits_new
    bpf_path_d_path bpf_cpumask_populate bpf_get_file_xattr bpf_get_dentry_xattr bpf_cgroup_read_xattr
    bpf_sock_read_xattr bpf_dynptr_from_file`,
  ],
  [[USER], "number", "bpf_copy_from_user_str bpf_copy_from_user_task_str"],
  [[KERNEL], "number", "bpf_probe_read_kernel_dynptr bpf_probe_read_kernel_str_dynptr"],
  [
    [USER],
    "number",
    `bpf_probe_read_user_dynptr bpf_probe_read_user_str_dynptr bpf_copy_from_user_dynptr bpf_copy_from_user_str_dynptr
    bpf_copy_from_user_task_dynptr bpf_copy_from_user_task_str_dynptr`,
  ],
  [[KERNEL, USER], "number", "bpf_stream_vprintk_impl bpf_stream_vprintk bpf_stream_print_stack"],
  // packets. veth_xdp_rx_hash of drivers/net/veth.c stores the hash in the sk_buff, as bpf_get_hash_recalc does.
  [[PACKET], "number", "bpf_xdp_pull_data bpf_xdp_metadata_rx_hash bpf_skb_set_fou_encap bpf_skb_set_xfrm_info"],
  [[], "number", "bpf_skb_get_fou_encap bpf_skb_get_xfrm_info"],
  // sockets
  [
    [SOCKET],
    "number",
    `bpf_sock_destroy bpf_sock_ops_enable_tx_tstamp tcp_cong_avoid_ai tcp_reno_cong_avoid tcp_reno_ssthresh
    tcp_reno_undo_cwnd tcp_slow_start cubictcp_acked cubictcp_cong_avoid cubictcp_cwnd_event cubictcp_init
    cubictcp_recalc_ssthresh cubictcp_state dctcp_cwnd_event dctcp_cwnd_undo dctcp_init dctcp_ssthresh
    dctcp_state dctcp_update_alpha bbr_cwnd_event bbr_init bbr_main bbr_min_tso_segs bbr_set_state
    bbr_sndbuf_expand bbr_ssthresh bbr_undo_cwnd`,
  ],
  [[SOCKET, "redirects"], "number", "bpf_sk_assign_tcp_reqsk"],
  [["writes_ctx", "redirects", SOCKET], "number", "bpf_sock_addr_set_sun_path"],
  // tasks
  [["sends_signal"], "number", "bpf_send_signal_task"],
  [
    [STATE],
    "number",
    `bpf_task_work_schedule_resume_impl bpf_task_work_schedule_signal_impl bpf_task_work_schedule_resume
    bpf_task_work_schedule_signal`,
  ],
  // Other parts of the kernel.
  [
    [STATE],
    "number",
    `bpf_ct_change_status bpf_ct_change_timeout bpf_ct_set_nat_info bpf_ct_set_status bpf_ct_set_timeout
    bpf_set_dentry_xattr bpf_remove_dentry_xattr css_rstat_flush css_rstat_updated cgroup_rstat_flush
    cgroup_rstat_updated bpf_mem_cgroup_flush_stats crash_kexec`,
  ],
  // Both may load the module of an algorithm that the program names (crypto_larval_lookup of crypto/api.c).
  [[STATE], "number", "bpf_verify_pkcs7_signature"],
  [[STATE], "memory", "bpf_crypto_ctx_create"],
  // Looking up a flow extends its lifetime; looking up a keyring can create it (KEY_LOOKUP_CREATE).
  [[STATE], "kernel", "bpf_lookup_user_key bpf_skb_ct_alloc bpf_xdp_ct_alloc bpf_ct_insert_entry bpf_xdp_flow_lookup"],
  // sched_ext
  [
    [STATE],
    "number",
    `scx_bpf_create_dsq scx_bpf_destroy_dsq scx_bpf_dispatch scx_bpf_dispatch_vtime scx_bpf_consume scx_bpf_kick_cpu
    scx_bpf_dsq_insert scx_bpf_dsq_insert_vtime scx_bpf_dsq_move scx_bpf_dsq_move_to_local scx_bpf_select_cpu_dfl
    scx_bpf_cpuperf_set scx_bpf_pick_idle_cpu scx_bpf_pick_any_cpu scx_bpf_test_and_clear_cpu_idle
    scx_bpf_reenqueue_local`,
  ],
  [[], "number", "scx_bpf_task_running scx_bpf_task_cpu scx_bpf_now scx_bpf_nr_cpu_ids"],
  // A CPU that does not exist ends the scheduler (ops_cpu_valid of kernel/sched/ext.c), also from a tracing program.
  [[STATE], "number", "scx_bpf_dsq_nr_queued"],
  [[STATE, KERNEL, USER], "number", "scx_bpf_exit_bstr scx_bpf_error_bstr scx_bpf_dump_bstr"],
  [[], "number", "bpf_throw", true],
];

/**
 * Dynptrs that are not written through: the kfunc calls __bpf_dynptr_data rather than __bpf_dynptr_data_rw, or does not
 * access their memory (kernel/bpf/helpers.c, kernel/bpf/crypto.c, fs/bpf_fs_kfuncs.c). The IV of a cipher is written.
 */
const READS: Readonly<Record<string, readonly number[]>> = {
  bpf_crypto_decrypt: [1],
  bpf_crypto_encrypt: [1],
  bpf_dynptr_adjust: [0],
  bpf_dynptr_clone: [0],
  bpf_dynptr_copy: [2],
  bpf_dynptr_file_discard: [0],
  bpf_dynptr_is_null: [0],
  bpf_dynptr_is_rdonly: [0],
  bpf_dynptr_size: [0],
  // Writes into a slice are found at the store.
  bpf_dynptr_slice: [0],
  bpf_dynptr_slice_rdwr: [0],
  bpf_set_dentry_xattr: [2],
  bpf_verify_pkcs7_signature: [0, 1],
};

/** Kfuncs that before Linux 7.0 accepted a kernel object where they write: any `struct cpumask`. */
const WRITES_OBJECTS: Readonly<Record<string, string>> = { bpf_cpumask_populate: "Ow-" };

export const KFUNCS: readonly KfuncRow[] = GROUPS.flatMap(([effects, returns, names, ends]) =>
  names.split(/\s+/).map((name) => ({
    name,
    effects,
    returns,
    // If the argument types are unknown, each argument may be written.
    args: WRITES_OBJECTS[name] ?? KFUNC_ARGUMENTS.get(name) ?? "wwwww",
    reads: READS[name] ?? [],
    ends: ends === true,
  })),
);

/** Rows by name. A kfunc without a row may have every effect. */
export const KFUNC_ROWS: ReadonlyMap<string, KfuncRow> = new Map(KFUNCS.map((row) => [row.name, row]));
