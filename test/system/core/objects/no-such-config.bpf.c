// An option that no configuration has.
#include "core.h"

extern int CONFIG_COUNTERSIGN_NOWHERE __kconfig;

SEC("raw_tp/sched_switch")
int reads_it(void *ctx)
{
	result = CONFIG_COUNTERSIGN_NOWHERE;
	return 0;
}
