/**
 * Stores that the verifier of every kernel rejects, so a program with such a store never runs. A store that is missing
 * here counts as one that some kernel accepts.
 */

/**
 * Types whose `is_valid_access` returns false for anything except BPF_READ, in every kernel that has the type:
 * tp_prog_is_valid_access, raw_tp_prog_is_valid_access (which raw_tp_writable_prog_is_valid_access calls),
 * pe_prog_is_valid_access and tracing_prog_is_valid_access of kernel/trace/bpf_trace.c. Left out: `kprobe`, whose
 * kprobe_prog_is_valid_access accepts stores since Linux 6.19; `lsm` and `struct_ops`, which use btf_ctx_access and
 * functions of their own; `ext`, which is checked as the program that it replaces.
 */
export const READ_ONLY_CONTEXTS: ReadonlySet<string> = new Set([
  "tracepoint",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "perf_event",
  "tracing",
]);

/**
 * Section names that attach a `kprobe` program to kernel functions. Linux 6.19 and later load a program that stores to
 * its pt_regs, for uprobes, and reject its attachment to a kernel function: __perf_event_set_bpf_prog of
 * kernel/events/core.c, bpf_kprobe_multi_link_attach of kernel/trace/bpf_trace.c (both check kprobe_write_ctx). Older
 * kernels do not load it. A tail call runs a program without attaching it, so this does not apply to the programs of an
 * object with a program array.
 */
export const KERNEL_PROBES: ReadonlySet<string> = new Set([
  "kprobe",
  "kretprobe",
  "kprobe.multi",
  "kretprobe.multi",
  "kprobe.session",
  "ksyscall",
  "kretsyscall",
]);

/**
 * Types without `btf_struct_access` in their bpf_verifier_ops: check_ptr_to_btf_access of kernel/bpf/verifier.c rejects
 * their stores through PTR_TO_BTF_ID ("only read is supported"), except for objects that the program allocated itself.
 * `sched_cls`, `sched_act` and `xdp` have it (struct nf_conn, net/core/filter.c), and so does `struct_ops` (in each
 * subsystem).
 */
export const READ_ONLY_OBJECTS: ReadonlySet<string> = new Set([
  "kprobe",
  "tracepoint",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "perf_event",
  "tracing",
  "lsm",
]);
