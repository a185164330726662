// Fields that are farther from the start of their struct than an instruction can reach.
#include "core.h"

struct bpf_verifier_env {
	unsigned int insn_idx;
	unsigned int subprog_cnt;
	unsigned int prev_insn_print_len;
	char tmp_str_buf[320];
} KERNEL;

SEC("tp_btf/sched_switch")
int BPF_PROG(element, struct bpf_verifier_env *environment)
{
	result = environment[3].insn_idx;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(near, struct bpf_verifier_env *environment)
{
	result = environment->insn_idx + environment->subprog_cnt;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(last_fields, struct bpf_verifier_env *environment)
{
	result = environment->prev_insn_print_len + environment->tmp_str_buf[9];
	return 0;
}

SEC("raw_tp/sched_switch")
int by_address(void *ctx)
{
	struct bpf_verifier_env *environment = (void *)bpf_get_current_task();

	result = BPF_CORE_READ(environment, prev_insn_print_len);
	result += bpf_core_field_offset(environment[5].insn_idx);
	return 0;
}
