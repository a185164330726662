// A typeless symbol that no kernel has.
#include "core.h"

extern const void countersign_no_such_symbol __ksym;

SEC("raw_tp/sched_switch")
int takes_its_address(void *ctx)
{
	result = (long)&countersign_no_such_symbol;
	return 0;
}
