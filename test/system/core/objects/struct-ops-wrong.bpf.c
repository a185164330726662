// A table whose member the kernel lacks and that is not zero there, which libbpf refuses.
#include "core.h"

struct sock;
struct tcp_congestion_ops___wrong {
	char name[16];
	unsigned int (*countersign_nowhere)(struct sock *sk);
};

SEC("struct_ops")
unsigned int BPF_PROG(nowhere, struct sock *sk)
{
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops___wrong wrong = {
	.name = "cs_wrong",
	.countersign_nowhere = (void *)nowhere,
};
