// A congestion control: struct_ops programs are attached by the member of a kernel structure that points at them.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct sock;

struct tcp_sock {
	__u32 snd_cwnd;
	__u32 snd_ssthresh;
} __attribute__((preserve_access_index));

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops")
__u32 BPF_PROG(calm_ssthresh, struct sock *sk)
{
	__u32 window = ((struct tcp_sock *)sk)->snd_cwnd;

	return window > 4 ? window / 2 : 2;
}

SEC("struct_ops/calm_cong_avoid")
void BPF_PROG(calm_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC("struct_ops")
__u32 BPF_PROG(calm_undo_cwnd, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC(".struct_ops")
struct tcp_congestion_ops calm = {
	.ssthresh = (void *)calm_ssthresh,
	.cong_avoid = (void *)calm_cong_avoid,
	.undo_cwnd = (void *)calm_undo_cwnd,
	.name = "calm",
};

char LICENSE[] SEC("license") = "GPL";
