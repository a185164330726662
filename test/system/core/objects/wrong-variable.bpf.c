// A variable of the kernel, declared with an incompatible type.
#include "core.h"

struct countersign_other {
	int x;
};
extern const struct countersign_other bpf_prog_active __ksym;

SEC("raw_tp/sched_switch")
int reads_it(void *ctx)
{
	result = (long)bpf_this_cpu_ptr(&bpf_prog_active);
	return 0;
}
