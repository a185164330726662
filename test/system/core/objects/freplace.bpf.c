// A program and a function that replaces one of its own.
#include "core.h"

struct task_struct {
	int tgid;
} KERNEL;

__noinline int victim(struct xdp_md *ctx)
{
	volatile int verdict = XDP_PASS;

	return verdict;
}

SEC("xdp")
int calls_victim(struct xdp_md *ctx)
{
	return victim(ctx);
}

SEC("freplace/victim")
int replacement(struct xdp_md *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, tgid) & 1 ? XDP_DROP : XDP_PASS;
}

SEC("freplace/countersign_no_such_victim")
int of_nothing(struct xdp_md *ctx)
{
	return XDP_DROP;
}
