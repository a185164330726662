// A kernel function, declared with other parameters.
#include "core.h"

struct countersign_other;
void crash_kexec(struct countersign_other *regs, int second) __ksym;

SEC("tp_btf/task_newtask")
int calls_it(void *ctx)
{
	crash_kexec(0, 1);
	return 0;
}
