/**
 * Helpers that return PTR_TO_BTF_ID or NULL (`ret_type` RET_PTR_TO_BTF_ID, …_OR_NULL and …_TRUSTED in their
 * bpf_func_proto). bpf_per_cpu_ptr and bpf_this_cpu_ptr are left out: for a variable that is not a struct they return
 * PTR_TO_MEM, which could be written before Linux 5.17 (without MEM_RDONLY).
 */
export const OBJECT_HELPERS: ReadonlySet<string> = new Set([
  "get_current_task_btf",
  "skc_to_tcp6_sock",
  "skc_to_tcp_sock",
  "skc_to_tcp_timewait_sock",
  "skc_to_tcp_request_sock",
  "skc_to_udp6_sock",
  "skc_to_unix_sock",
  "skc_to_mptcp_sock",
  "sock_from_file",
  "task_pt_regs",
]);

/** Helpers that never return NULL. The others can, and the verifier then treats the value as the number 0. */
export const NEVER_NULL: ReadonlySet<string> = new Set([
  "get_local_storage",
  "this_cpu_ptr",
  "get_current_task_btf",
  "task_pt_regs",
]);

/**
 * Kfuncs that return a pointer to a kernel struct: PTR_TO_BTF_ID (check_kfunc_call of kernel/bpf/verifier.c), read-only
 * if untrusted. bpf_rdonly_cast returns PTR_UNTRUSTED, to a struct or to memory with MEM_RDONLY.
 */
export const OBJECT_KFUNCS: ReadonlySet<string> = new Set(
  `bpf_task_acquire bpf_task_from_pid bpf_task_from_vpid bpf_task_get_cgroup1 bpf_cgroup_acquire bpf_cgroup_ancestor
  bpf_cgroup_from_id bpf_get_task_exe_file bpf_cast_to_kern_ctx bpf_rdonly_cast bpf_iter_css_next bpf_iter_css_task_next
  bpf_iter_task_next bpf_iter_task_vma_next bpf_iter_kmem_cache_next bpf_get_kmem_cache bpf_skb_ct_lookup
  bpf_xdp_ct_lookup`.split(/\s+/),
);
