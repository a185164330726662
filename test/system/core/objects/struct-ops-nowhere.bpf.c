// A table of functions that no kernel knows.
#include "core.h"

struct countersign_ops {
	int (*call)(void);
};

SEC("struct_ops")
int BPF_PROG(call)
{
	return 2;
}

SEC(".struct_ops")
struct countersign_ops table = {
	.call = (void *)call,
};
