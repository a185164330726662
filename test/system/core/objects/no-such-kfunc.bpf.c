// A kernel function that no kernel has.
#include "core.h"

int countersign_no_such_function(int argument) __ksym;

SEC("tp_btf/task_newtask")
int calls_it(void *ctx)
{
	result = countersign_no_such_function(1);
	return 0;
}
