/**
 * Stores that the verifier of every kernel rejects, so that a program with one of them never runs. What is missing here
 * counts as a store that some kernel accepts.
 */

/**
 * Types whose `is_valid_access` returns false for anything but BPF_READ, in every kernel that has the type:
 * tp_prog_is_valid_access, raw_tp_prog_is_valid_access (which raw_tp_writable_prog_is_valid_access ends in),
 * pe_prog_is_valid_access and tracing_prog_is_valid_access of kernel/trace/bpf_trace.c. Not among them: `kprobe`, whose
 * kprobe_prog_is_valid_access accepts stores since Linux 6.19; `lsm` and `struct_ops`, which check by btf_ctx_access
 * and their own functions; `ext`, which is checked as the program that it replaces.
 */
export const READ_ONLY_CONTEXTS: ReadonlySet<string> = new Set([
  "tracepoint",
  "raw_tracepoint",
  "raw_tracepoint_writable",
  "perf_event",
  "tracing",
]);

/**
 * Section names that attach a `kprobe` program to functions of the kernel. Linux 6.19 and later load a program that
 * stores into its pt_regs, for uprobes, and then reject its attachment here: __perf_event_set_bpf_prog of
 * kernel/events/core.c, bpf_kprobe_multi_link_attach of kernel/trace/bpf_trace.c (both look at kprobe_write_ctx). Older
 * kernels do not load it. A tail call runs a program without attaching it, so this says nothing of the programs of an
 * object that has a program array.
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
 * their stores through PTR_TO_BTF_ID ("only read is supported"), but into objects that the program allocated itself.
 * `sched_cls`, `sched_act` and `xdp` have it (struct nf_conn, net/core/filter.c), `struct_ops` too (each in its own
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
