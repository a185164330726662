/**
 * Helpers and kfuncs that write to memory, and that no program of fillers.ts calls: by the reason, their names without
 * `bpf_` or, of kfuncs, whole.
 */
const REASONS: Readonly<Record<string, string>> = {
  "the memory is a map's value, which the verifier requires": `
    spin_lock spin_unlock timer_init timer_set_callback timer_start timer_cancel kptr_xchg dynptr_from_mem`,
  "the memory is a record of a ring buffer": "ringbuf_submit ringbuf_discard",
  "the stack has the state of a dynptr, iterator or lock there, which the verifier lets nothing read": `
    ringbuf_reserve_dynptr ringbuf_submit_dynptr ringbuf_discard_dynptr
    bpf_local_irq_save bpf_local_irq_restore bpf_res_spin_lock_irqsave bpf_res_spin_unlock_irqrestore`,
  "only programs of type syscall call it, which have every effect": `
    sys_bpf kallsyms_lookup_name bpf_crypto_ctx_create bpf_ksock_create`,
  "needs a HID device": `
    hid_bpf_hw_request hid_bpf_hw_output_report hid_bpf_input_report hid_bpf_try_input_report`,
  "needs a scheduler of sched_ext, a struct_ops program": `
    scx_bpf_select_cpu_dfl scx_bpf_dump_bstr scx_bpf_error_bstr scx_bpf_exit_bstr scx_bpf_sub_kill_bstr`,
  "needs a flow table of netfilter": "bpf_xdp_flow_lookup",
  "takes the same options as bpf_xdp_ct_lookup": `
    bpf_skb_ct_lookup bpf_skb_ct_alloc bpf_xdp_ct_alloc`,
  "the argument is set by the verifier": "bpf_wq_set_callback_impl",
  "it only reads the memory": "bpf_cpumask_populate",
  "only modules of the kernel's own tests have it": `
    bpf_kfunc_call_int_mem_release bpf_kfunc_call_test_acquire bpf_kfunc_call_test_mem_len_fail1
    bpf_kfunc_call_test_mem_len_fail2 bpf_kfunc_call_test_mem_len_pass1 bpf_modify_return_test
    bpf_modify_return_test2`,
};

/** The reason by name. */
export const UNTRIED: ReadonlyMap<string, string> = new Map(
  Object.entries(REASONS).flatMap(([reason, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, reason] as const),
  ),
);
