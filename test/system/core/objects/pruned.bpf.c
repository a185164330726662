// Candidates that earlier relocations leave out: those of `.text`, where subprograms are, come last.
#include "core.h"

struct slot {
	unsigned char number;
	unsigned int devfn;
} KERNEL;
struct irq_info {
	int irq;
	void *node;
} KERNEL;

static __noinline unsigned int device(struct slot *slot)
{
	return BPF_CORE_READ(slot, devfn);
}

SEC("raw_tp/sched_switch")
int by_subprogram(void *ctx)
{
	struct slot *slot = (void *)bpf_get_current_task();

	result = BPF_CORE_READ(slot, number);
	result += device(slot);
	return 0;
}

SEC("raw_tp/sched_switch")
int by_itself(void *ctx)
{
	struct irq_info *info = (void *)bpf_get_current_task();

	result = (long)BPF_CORE_READ(info, node);
	result += BPF_CORE_READ(info, irq);
	return 0;
}
