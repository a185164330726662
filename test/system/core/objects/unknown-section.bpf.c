// A program of no type.
#include "core.h"

SEC("countersign/nowhere")
int of_no_type(void *ctx)
{
	return 0;
}

SEC("raw_tp/sched_switch")
int of_a_type(void *ctx)
{
	return 0;
}
