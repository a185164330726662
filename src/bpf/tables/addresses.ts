/**
 * Helpers that hand out no byte of the memory in their `r` arguments: they look something up by it or compare with it,
 * or (bpf_snprintf_btf, bpf_seq_printf_btf) print what an address in it points to. All others count as handing it out:
 * to a map, a record, a packet, a socket or the kernel. bpf_csum_diff returns a number that is computed from it.
 */
export const KEEPING_HELPERS: ReadonlySet<string> = new Set(
  `map_lookup_elem map_delete_elem map_lookup_percpu_elem sk_lookup_tcp sk_lookup_udp skc_lookup_tcp strtol strtoul
  strncmp csum_diff tcp_check_syncookie tcp_raw_check_syncookie_ipv4 tcp_raw_check_syncookie_ipv6 kallsyms_lookup_name
  btf_find_by_name_kind snprintf_btf seq_printf_btf msg_redirect_hash sk_redirect_hash sk_select_reuseport`.split(
    /\s+/,
  ),
);

/**
 * Helpers whose number is an address of the kernel: of the task (bpf_get_current_task of kernel/trace/bpf_trace.c), and
 * of the traced function (bpf_get_func_ip_tracing and others, ibid.).
 */
export const ADDRESS_HELPERS: ReadonlySet<string> = new Set(["get_current_task", "get_func_ip"]);

/** Kfuncs that only compare or look up by the memory in their `r` arguments, or follow an address in a register. */
export const KEEPING_KFUNCS: ReadonlySet<string> = new Set(
  `bpf_strcmp bpf_strcasecmp bpf_strncasecmp bpf_strchr bpf_strchrnul bpf_strnchr bpf_strrchr bpf_strlen bpf_strnlen
  bpf_strspn bpf_strcspn bpf_strstr bpf_strnstr bpf_strcasestr bpf_strncasestr bpf_rdonly_cast bpf_get_file_xattr
  bpf_get_dentry_xattr bpf_cgroup_read_xattr bpf_sock_read_xattr bpf_remove_dentry_xattr bpf_copy_from_user_str
  bpf_copy_from_user_task_str bpf_copy_from_user_dynptr bpf_copy_from_user_str_dynptr bpf_copy_from_user_task_dynptr
  bpf_copy_from_user_task_str_dynptr bpf_probe_read_kernel_dynptr bpf_probe_read_kernel_str_dynptr
  bpf_probe_read_user_dynptr bpf_probe_read_user_str_dynptr`.split(/\s+/),
);

/** Kfuncs that put the structs in their arguments into a packet, a flow that user space can list, or a socket. */
export const HANDING_KFUNCS: ReadonlySet<string> = new Set(
  `bpf_skb_set_fou_encap bpf_skb_set_xfrm_info bpf_ct_set_nat_info bpf_skb_ct_alloc bpf_xdp_ct_alloc
  bpf_sk_assign_tcp_reqsk`.split(/\s+/),
);
