/**
 * Helpers that, for some program types at least, only programs with a GPL-compatible licence may call: those with
 * `gpl_only` in their bpf_func_proto (kernel/trace/bpf_trace.c, kernel/bpf/*.c, net/core/filter.c and others). No
 * header lists them. A test compares them with scripts/kernel-facts.gen.json, and a system test with the running
 * kernel.
 */
export const GPL_ONLY: ReadonlySet<string> = new Set(
  [
    ...["probe_read", "probe_read_str", "probe_read_user", "probe_read_user_str", "probe_read_kernel"],
    ...[
      "probe_read_kernel_str",
      "probe_write_user",
      "copy_from_user_task",
      "trace_printk",
      "trace_vprintk",
      "snprintf",
    ],
    ...[
      "seq_printf",
      "seq_write",
      "seq_printf_btf",
      "perf_event_read",
      "perf_event_read_value",
      "perf_prog_read_value",
    ],
    ...["perf_event_output", "skb_output", "xdp_output", "get_stackid", "get_stack", "get_current_task"],
    ...["get_current_task_btf", "task_pt_regs", "read_branch_records", "get_branch_snapshot", "get_func_ip"],
    ...["override_return", "timer_init", "timer_set_callback", "timer_start", "timer_cancel"],
    ...["fib_lookup", "check_mtu", "tcp_check_syncookie", "tcp_gen_syncookie"],
    ...["tcp_raw_gen_syncookie_ipv4", "tcp_raw_gen_syncookie_ipv6", "tcp_raw_check_syncookie_ipv4"],
    ...["tcp_raw_check_syncookie_ipv6", "rc_repeat", "rc_keydown", "rc_pointer_rel"],
  ].map((name) => `bpf_${name}`),
);
