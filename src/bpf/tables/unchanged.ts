/**
 * For each helper and kfunc whose row has no effect that changes anything: the function of the kernel that was read for
 * it (Linux 6.1, 6.12 and 7.3), and what that function touches nevertheless, with the reason why it is no change.
 * scripts/source-places.mjs compares the functions with those of today's packages.
 */

/** By source file; `name=function` if the function has another name. */
const PLACES: Readonly<Record<string, string>> = {
  "fs/bpf_fs_kfuncs.c": `
    bpf_cgroup_read_xattr bpf_get_dentry_xattr bpf_get_file_xattr bpf_get_task_exe_file bpf_path_d_path bpf_put_file
    bpf_real_data_inode bpf_sock_read_xattr`,
  "fs/verity/measure.c": "bpf_get_fsverity_digest",
  "kernel/bpf/arena.c": "bpf_arena_alloc_pages bpf_arena_free_pages bpf_arena_reserve_pages",
  "kernel/bpf/bpf_cgrp_storage.c": "bpf_cgrp_storage_delete bpf_cgrp_storage_get",
  "kernel/bpf/bpf_inode_storage.c": "bpf_inode_storage_delete bpf_inode_storage_get",
  "kernel/bpf/bpf_iter.c": `
    bpf_for_each_map_elem bpf_iter_num_destroy bpf_iter_num_new bpf_iter_num_next bpf_loop`,
  "kernel/bpf/bpf_lsm.c": "bpf_ima_file_hash bpf_ima_inode_hash",
  "kernel/bpf/bpf_task_storage.c": "bpf_task_storage_delete bpf_task_storage_get",
  "kernel/bpf/cgroup.c": `
    bpf_get_local_storage bpf_get_retval bpf_sysctl_get_current_value bpf_sysctl_get_name bpf_sysctl_get_new_value`,
  "kernel/bpf/cgroup_iter.c": "bpf_iter_css_destroy bpf_iter_css_new bpf_iter_css_next",
  "kernel/bpf/core.c": "bpf_get_prandom_u32=bpf_user_rnd_u32",
  "kernel/bpf/cpumask.c": `
    bpf_cpumask_acquire bpf_cpumask_and bpf_cpumask_any_and_distribute bpf_cpumask_any_distribute bpf_cpumask_clear
    bpf_cpumask_clear_cpu bpf_cpumask_copy bpf_cpumask_create bpf_cpumask_empty bpf_cpumask_equal bpf_cpumask_first
    bpf_cpumask_first_and bpf_cpumask_first_zero bpf_cpumask_full bpf_cpumask_intersects bpf_cpumask_or
    bpf_cpumask_populate bpf_cpumask_release bpf_cpumask_set_cpu bpf_cpumask_setall bpf_cpumask_subset
    bpf_cpumask_test_and_clear_cpu bpf_cpumask_test_and_set_cpu bpf_cpumask_test_cpu bpf_cpumask_weight
    bpf_cpumask_xor`,
  "kernel/bpf/crypto.c": "bpf_crypto_ctx_acquire bpf_crypto_ctx_release bpf_crypto_decrypt bpf_crypto_encrypt",
  "kernel/bpf/dmabuf_iter.c": "bpf_iter_dmabuf_destroy bpf_iter_dmabuf_new bpf_iter_dmabuf_next",
  "kernel/bpf/helpers.c": `
    bpf_cast_to_kern_ctx bpf_cgroup_acquire bpf_cgroup_ancestor bpf_cgroup_from_id bpf_cgroup_release
    bpf_copy_from_user bpf_copy_from_user_str bpf_copy_from_user_task bpf_copy_from_user_task_str
    bpf_current_task_under_cgroup bpf_dynptr_adjust bpf_dynptr_clone bpf_dynptr_copy bpf_dynptr_data
    bpf_dynptr_file_discard bpf_dynptr_from_file bpf_dynptr_from_mem bpf_dynptr_is_null bpf_dynptr_is_rdonly
    bpf_dynptr_memset bpf_dynptr_read bpf_dynptr_size bpf_dynptr_slice bpf_dynptr_slice_rdwr bpf_dynptr_write
    bpf_get_current_ancestor_cgroup_id bpf_get_current_cgroup_id bpf_get_current_comm bpf_get_current_pid_tgid
    bpf_get_current_uid_gid bpf_get_ns_current_pid_tgid bpf_get_numa_node_id bpf_get_smp_processor_id
    bpf_iter_bits_destroy bpf_iter_bits_new bpf_iter_bits_next bpf_jiffies64 bpf_key_put bpf_kptr_xchg
    bpf_ktime_get_boot_ns bpf_ktime_get_coarse_ns bpf_ktime_get_ns bpf_ktime_get_tai_ns bpf_list_add bpf_list_back
    bpf_list_del bpf_list_empty bpf_list_front bpf_list_is_first bpf_list_is_last bpf_list_pop_back
    bpf_list_pop_front bpf_list_push_back bpf_list_push_back_impl bpf_list_push_front bpf_list_push_front_impl
    bpf_local_irq_restore bpf_local_irq_save bpf_lookup_system_key bpf_map_delete_elem bpf_map_lookup_elem
    bpf_map_lookup_percpu_elem bpf_map_peek_elem bpf_map_pop_elem bpf_map_push_elem bpf_map_update_elem bpf_obj_drop
    bpf_obj_drop_impl bpf_obj_new bpf_obj_new_impl bpf_per_cpu_ptr bpf_percpu_obj_drop bpf_percpu_obj_drop_impl
    bpf_percpu_obj_new bpf_percpu_obj_new_impl bpf_preempt_disable bpf_preempt_enable bpf_rbtree_add
    bpf_rbtree_add_impl bpf_rbtree_first bpf_rbtree_left bpf_rbtree_remove bpf_rbtree_right bpf_rbtree_root
    bpf_rcu_read_lock bpf_rcu_read_unlock bpf_rdonly_cast bpf_refcount_acquire bpf_refcount_acquire_impl
    bpf_snprintf bpf_spin_lock bpf_spin_unlock bpf_strcasecmp bpf_strcasestr bpf_strchr bpf_strchrnul bpf_strcmp
    bpf_strcspn bpf_strlen bpf_strncasecmp bpf_strncasestr bpf_strnchr bpf_strncmp bpf_strnlen bpf_strnstr
    bpf_strrchr bpf_strspn bpf_strstr bpf_strtol bpf_strtoul bpf_task_acquire bpf_task_from_pid bpf_task_from_vpid
    bpf_task_get_cgroup1 bpf_task_release bpf_task_under_cgroup bpf_this_cpu_ptr bpf_throw bpf_timer_cancel
    bpf_timer_cancel_async bpf_timer_init bpf_timer_set_callback bpf_timer_start bpf_wq_init bpf_wq_set_callback
    bpf_wq_set_callback_impl bpf_wq_start`,
  "kernel/bpf/kmem_cache_iter.c": "bpf_iter_kmem_cache_destroy bpf_iter_kmem_cache_new bpf_iter_kmem_cache_next",
  "kernel/bpf/map_iter.c": "bpf_map_sum_elem_count",
  "kernel/bpf/ringbuf.c": `
    bpf_ringbuf_discard bpf_ringbuf_discard_dynptr bpf_ringbuf_output bpf_ringbuf_query bpf_ringbuf_reserve
    bpf_ringbuf_reserve_dynptr bpf_ringbuf_submit bpf_ringbuf_submit_dynptr bpf_user_ringbuf_drain`,
  "kernel/bpf/rqspinlock.c": `
    bpf_res_spin_lock bpf_res_spin_lock_irqsave bpf_res_spin_unlock bpf_res_spin_unlock_irqrestore`,
  "kernel/bpf/stackmap.c": "bpf_get_stack bpf_get_stackid bpf_get_task_stack",
  "kernel/bpf/stream.c": "bpf_stream_print_stack bpf_stream_vprintk bpf_stream_vprintk_impl=bpf_stream_vprintk",
  "kernel/bpf/syscall.c": "bpf_kallsyms_lookup_name",
  "kernel/bpf/task_iter.c": `
    bpf_find_vma bpf_iter_css_task_destroy bpf_iter_css_task_new bpf_iter_css_task_next bpf_iter_task_destroy
    bpf_iter_task_new bpf_iter_task_next bpf_iter_task_vma_destroy bpf_iter_task_vma_new bpf_iter_task_vma_next`,
  "kernel/sched/ext/ext.c": "scx_bpf_now scx_bpf_nr_cpu_ids scx_bpf_task_cpu scx_bpf_task_running",
  "kernel/trace/bpf_trace.c": `
    bpf_copy_from_user_dynptr bpf_copy_from_user_str_dynptr bpf_copy_from_user_task_dynptr
    bpf_copy_from_user_task_str_dynptr bpf_d_path bpf_get_branch_snapshot
    bpf_get_attach_cookie=bpf_get_attach_cookie_trace bpf_get_current_task bpf_get_current_task_btf
    bpf_get_func_arg=get_func_arg bpf_get_func_arg_cnt=get_func_arg_cnt bpf_get_func_ip=bpf_get_func_ip_tracing
    bpf_get_func_ret=get_func_ret bpf_perf_event_output bpf_perf_event_read bpf_perf_event_read_value
    bpf_perf_prog_read_value bpf_probe_read=bpf_probe_read_compat bpf_probe_read_kernel bpf_probe_read_kernel_dynptr
    bpf_probe_read_kernel_str bpf_probe_read_kernel_str_dynptr bpf_probe_read_str=bpf_probe_read_compat_str
    bpf_probe_read_user bpf_probe_read_user_dynptr bpf_probe_read_user_str bpf_probe_read_user_str_dynptr
    bpf_read_branch_records bpf_seq_printf bpf_seq_printf_btf bpf_seq_write bpf_session_cookie bpf_session_is_return
    bpf_snprintf_btf bpf_task_pt_regs bpf_trace_printk bpf_trace_vprintk`,
  "mm/bpf_memcontrol.c": `
    bpf_get_mem_cgroup bpf_get_root_mem_cgroup bpf_mem_cgroup_memory_events bpf_mem_cgroup_page_state
    bpf_mem_cgroup_usage bpf_mem_cgroup_vm_events bpf_put_mem_cgroup`,
  "mm/slab_common.c": "bpf_get_kmem_cache",
  "net/core/bpf_sk_storage.c": "bpf_sk_storage_get",
  "net/core/filter.c": `
    bpf_check_mtu=bpf_skb_check_mtu bpf_csum_diff bpf_dynptr_from_skb bpf_dynptr_from_skb_meta bpf_dynptr_from_xdp
    bpf_fib_lookup=bpf_ipv4_fib_lookup bpf_get_cgroup_classid bpf_get_listener_sock
    bpf_get_netns_cookie=__bpf_get_netns_cookie bpf_get_route_realm bpf_get_socket_uid
    bpf_getsockopt=__bpf_getsockopt bpf_load_hdr_opt=bpf_sock_ops_load_hdr_opt bpf_sk_ancestor_cgroup_id
    bpf_sk_cgroup_id bpf_sk_fullsock bpf_sk_lookup_tcp bpf_sk_lookup_udp bpf_sk_release bpf_skb_ancestor_cgroup_id
    bpf_skb_cgroup_classid bpf_skb_cgroup_id bpf_skb_get_tunnel_key bpf_skb_get_tunnel_opt bpf_skb_get_xfrm_state
    bpf_skb_load_bytes bpf_skb_load_bytes_relative bpf_skb_output=bpf_skb_event_output bpf_skb_under_cgroup
    bpf_skc_lookup_tcp bpf_skc_to_mptcp_sock bpf_skc_to_tcp6_sock bpf_skc_to_tcp_request_sock bpf_skc_to_tcp_sock
    bpf_skc_to_tcp_timewait_sock bpf_skc_to_udp6_sock bpf_skc_to_unix_sock bpf_sock_from_file
    bpf_tcp_check_syncookie bpf_tcp_raw_check_syncookie_ipv4 bpf_tcp_raw_check_syncookie_ipv6
    bpf_tcp_raw_gen_syncookie_ipv4 bpf_tcp_raw_gen_syncookie_ipv6 bpf_tcp_sock bpf_xdp_get_buff_len
    bpf_xdp_load_bytes bpf_xdp_output=bpf_xdp_event_output`,
  "net/core/xdp.c": "bpf_xdp_metadata_rx_timestamp bpf_xdp_metadata_rx_vlan_tag",
  "net/ipv4/fou_bpf.c": "bpf_skb_get_fou_encap",
  "net/netfilter/nf_conntrack_bpf.c": "bpf_ct_release bpf_skb_ct_lookup bpf_xdp_ct_lookup",
  "net/xfrm/xfrm_interface_bpf.c": "bpf_skb_get_xfrm_info",
  "net/xfrm/xfrm_state_bpf.c": "bpf_xdp_get_xfrm_state bpf_xdp_xfrm_state_release",
};

/** What a function touches that outlives the call, or that others can see. */
const TOUCHES: Readonly<Record<string, string>> = {
  bpf_map_lookup_elem: "marks an element of an LRU map as used",
  bpf_map_update_elem: "whether its map is shared is found from the argument",
  bpf_get_prandom_u32: "advances a generator that only BPF programs use",
  bpf_trace_printk: "prints to the trace; the load enables the event bpf_trace_printk",
  bpf_trace_vprintk: "prints to the trace; the load enables the event bpf_trace_printk",
  bpf_seq_printf: "prints to who reads the iterator",
  bpf_seq_printf_btf: "prints to who reads the iterator",
  bpf_seq_write: "prints to who reads the iterator",
  bpf_stream_print_stack: "prints to the program's own stream",
  bpf_stream_vprintk: "prints to the program's own stream",
  bpf_stream_vprintk_impl: "prints to the program's own stream",
  bpf_perf_event_read: "updates a counter, as every read of it",
  bpf_perf_event_read_value: "updates a counter, as every read of it",
  bpf_perf_prog_read_value: "updates a counter, as every read of it",
  bpf_get_branch_snapshot: "stops the CPU's counters while it reads",
  bpf_copy_from_user: "faults pages in, as every access of the process",
  bpf_copy_from_user_str: "faults pages in, as every access of the process",
  bpf_copy_from_user_task: "faults pages in, as process_vm_readv(2)",
  bpf_copy_from_user_task_str: "faults pages in, as process_vm_readv(2)",
  bpf_copy_from_user_dynptr: "faults pages in, as every access of the process",
  bpf_copy_from_user_str_dynptr: "faults pages in, as every access of the process",
  bpf_copy_from_user_task_dynptr: "faults pages in, as process_vm_readv(2)",
  bpf_copy_from_user_task_str_dynptr: "faults pages in, as process_vm_readv(2)",
  bpf_ima_file_hash: "reads the file, which can update its access time, as read(2)",
  bpf_get_dentry_xattr: "a file system may ask a server or a daemon, as getxattr(2)",
  bpf_get_file_xattr: "a file system may ask a server or a daemon, as getxattr(2)",
  bpf_fib_lookup: "looks neighbours up and makes none, and sends no probe: RT6_LOOKUP_F_REACHABLE is not set",
  bpf_getsockopt: "none of the options that it knows is cleared by reading it",
  bpf_sk_lookup_tcp: "holds a reference until bpf_sk_release, which the verifier requires",
  bpf_sk_lookup_udp: "holds a reference until bpf_sk_release, which the verifier requires",
  bpf_skc_lookup_tcp: "holds a reference until bpf_sk_release, which the verifier requires",
  bpf_tcp_raw_gen_syncookie_ipv4: "makes the key of cookies at the first use (net_get_random_once)",
  bpf_tcp_raw_gen_syncookie_ipv6: "makes the key of cookies at the first use (net_get_random_once)",
  bpf_skb_ct_lookup: "removes entries whose time is over, as every lookup; holds a reference until bpf_ct_release",
  bpf_xdp_ct_lookup: "removes entries whose time is over, as every lookup; holds a reference until bpf_ct_release",
  bpf_cpumask_any_distribute: "remembers the choice for the next one on this CPU",
  bpf_cpumask_any_and_distribute: "remembers the choice for the next one on this CPU",
  bpf_kptr_xchg: "a map can keep a task, a cgroup or a CPU mask allocated, for which nothing waits",
  bpf_sk_storage_get: "without F_CREATE it only looks up; with it, the flag's effect",
  bpf_cgrp_storage_get: "its storage is charged to the map and not to the cgroup (no map_local_storage_charge)",
  bpf_inode_storage_get: "its storage is charged to the map and not to the inode (no map_local_storage_charge)",
  bpf_task_storage_get: "its storage is charged to the map and not to the task (no map_local_storage_charge)",
  bpf_timer_start: "its callback is analysed with the program",
  bpf_wq_start: "its callback is analysed with the program",
  bpf_dynptr_write: "what it writes is found from the dynptr",
  bpf_dynptr_copy: "what it writes is found from the dynptr",
  bpf_dynptr_memset: "what it writes is found from the dynptr",
  bpf_spin_lock: "held until bpf_spin_unlock, which the verifier requires",
  bpf_get_task_exe_file: "holds a reference until bpf_put_file, which the verifier requires",
  bpf_crypto_encrypt: "what it writes is found from the dynptrs",
  bpf_crypto_decrypt: "what it writes is found from the dynptrs",
};

/** `file: function; why`, by the full name of the helper or kfunc. */
export const UNCHANGED: ReadonlyMap<string, string> = new Map(
  Object.entries(PLACES).flatMap(([file, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((entry) => {
        const [name, functionName = name] = entry.split("=") as [string, string?];
        const touches = TOUCHES[name];
        return [name, `${file}: ${functionName}${touches === undefined ? "" : `; ${touches}`}`] as const;
      }),
  ),
);
