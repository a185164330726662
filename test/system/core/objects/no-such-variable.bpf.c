// A typed variable that no kernel has.
#include "core.h"

extern const int countersign_no_such_variable __ksym;

SEC("raw_tp/sched_switch")
int reads_it(void *ctx)
{
	result = *(const int *)bpf_this_cpu_ptr(&countersign_no_such_variable);
	return 0;
}

// libbpf resolves all externs of an object, so that this one is refused too.
SEC("raw_tp/sched_switch")
int does_not(void *ctx)
{
	return 0;
}
