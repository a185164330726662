/**
 * Iterators whose programs are lent no memory that they may write. Only the fourth argument of `bpf_map_elem` and of
 * `bpf_sk_storage_map`, a map's value, is a buffer without MEM_RDONLY (ctx_arg_info in kernel/bpf/map_iter.c and
 * net/core/bpf_sk_storage.c). btf_ctx_access of kernel/bpf/btf.c takes it for one only if the function that
 * attach_btf_id names has a pointer there, and these have at most three arguments, or a number as the fourth (`udp`).
 * Unlike the name, the prototype holds even if bpf_iter_prog_supported of kernel/bpf/bpf_iter.c takes one iterator for
 * another, which the BTF id that it keeps of each allows: so `task_file` and `sockmap`, which have a pointer there, are
 * left out.
 */
const WITHOUT_BUFFER: ReadonlySet<string> = new Set([
  "bpf_link",
  "bpf_map",
  "bpf_prog",
  "cgroup",
  "dmabuf",
  "ipv6_route",
  "kmem_cache",
  "ksym",
  "netlink",
  "task",
  "task_vma",
  "tcp",
  "udp",
  "unix",
]);

/** Attach types of `tracing` programs that are no iterators: only iterators have arguments that are buffers. */
const NO_ITERATORS: ReadonlySet<string> = new Set(["trace_fentry", "trace_fexit", "trace_raw_tp", "modify_return"]);

/** Whether an argument of a `tracing` program may be a buffer that it may write. True if its target is not known. */
export function mayBeLentBuffer(expectedAttachType: string | null, attachTo: string | null): boolean {
  if (expectedAttachType !== null && NO_ITERATORS.has(expectedAttachType)) return false;
  return expectedAttachType !== "trace_iter" || attachTo === null || !WITHOUT_BUFFER.has(attachTo);
}
