// Tables of functions for the kernel: of vmlinux; with a flavour; with a member that is zero and not in the kernel; and
// one that is only there if asked for.
#include "core.h"

struct sock {
	unsigned short sk_type;
} KERNEL;
struct tcp_sock {
	unsigned int snd_cwnd;
	unsigned int snd_ssthresh;
} KERNEL;
struct tcp_congestion_ops {
	char name[16];
	unsigned int (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, unsigned int ack, unsigned int acked);
	unsigned int (*undo_cwnd)(struct sock *sk);
	unsigned int flags;
};
struct tcp_congestion_ops___newer {
	unsigned int (*undo_cwnd)(struct sock *sk);
	char name[16];
	void (*cong_avoid)(struct sock *sk, unsigned int ack, unsigned int acked);
	unsigned int (*ssthresh)(struct sock *sk);
	void (*countersign_later)(void);
};

SEC("struct_ops")
unsigned int BPF_PROG(threshold, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_ssthresh + ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("struct_ops")
unsigned int BPF_PROG(undo, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("struct_ops")
void BPF_PROG(avoid, struct sock *sk, unsigned int ack, unsigned int acked)
{
	result += ack + sk->sk_type;
}

SEC(".struct_ops")
struct tcp_congestion_ops plain = {
	.name = "cs_plain",
	.ssthresh = (void *)threshold,
	.cong_avoid = (void *)avoid,
	.undo_cwnd = (void *)undo,
};

SEC(".struct_ops.link")
struct tcp_congestion_ops___newer newer = {
	.name = "cs_newer",
	.ssthresh = (void *)threshold,
	.undo_cwnd = (void *)undo,
	.cong_avoid = (void *)avoid,
};
