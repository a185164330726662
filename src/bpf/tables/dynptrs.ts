/**
 * Functions that write through a dynptr and to no packet but the one that it may stand for (arguments marked MEM_WRITE or
 * `struct bpf_dynptr *` without `const`): kernel/bpf/helpers.c, kernel/bpf/crypto.c, kernel/trace/bpf_trace.c,
 * fs/bpf_fs_kfuncs.c, fs/verity/measure.c. Their
 * `writes_packet` is true only in programs that may have a dynptr of a packet.
 */
export const WRITE_DYNPTRS: ReadonlySet<string> = new Set(
  `bpf_dynptr_write bpf_dynptr_copy bpf_dynptr_memset bpf_dynptr_slice_rdwr bpf_crypto_encrypt bpf_crypto_decrypt
  bpf_probe_read_kernel_dynptr bpf_probe_read_kernel_str_dynptr bpf_probe_read_user_dynptr
  bpf_probe_read_user_str_dynptr bpf_copy_from_user_dynptr bpf_copy_from_user_str_dynptr
  bpf_copy_from_user_task_dynptr bpf_copy_from_user_task_str_dynptr bpf_get_fsverity_digest bpf_get_file_xattr
  bpf_get_dentry_xattr bpf_cgroup_read_xattr`.split(/\s+/),
);

/** Functions that make a dynptr of a packet: BPF_DYNPTR_TYPE_SKB, _SKB_META and _XDP (net/core/filter.c). */
export const MAKE_PACKET_DYNPTRS: ReadonlySet<string> = new Set([
  "bpf_dynptr_from_skb",
  "bpf_dynptr_from_skb_meta",
  "bpf_dynptr_from_xdp",
]);
