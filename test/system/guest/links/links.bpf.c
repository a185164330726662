// A program for each kind of link, which counts that it ran.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COUNTER(name) unsigned long name
struct {
	COUNTER(kprobe); COUNTER(kprobe_multi); COUNTER(fentry); COUNTER(fexit); COUNTER(fmod_ret); COUNTER(lsm); COUNTER(freplace);
	COUNTER(struct_ops); COUNTER(uprobe); COUNTER(uprobe_multi); COUNTER(tracepoint); COUNTER(tp_btf); COUNTER(tcx); COUNTER(xdp);
	COUNTER(netfilter); COUNTER(cgroup); COUNTER(sk_lookup);
} ran;

#define COUNTS(section, name, answer) \
	SEC(section) int by_##name(void *ctx) { ran.name++; return answer; }

COUNTS("kprobe/do_nanosleep", kprobe, 0)
COUNTS("kprobe.multi/do_nanosleep", kprobe_multi, 0)
COUNTS("fentry/do_nanosleep", fentry, 0)
COUNTS("fexit/do_nanosleep", fexit, 0)
COUNTS("fmod_ret/security_task_getpgid", fmod_ret, 0)
COUNTS("lsm/task_getpgid", lsm, 0)
COUNTS("uprobe", uprobe, 0)
COUNTS("uprobe.multi", uprobe_multi, 0)
COUNTS("tp/syscalls/sys_enter_clock_nanosleep", tracepoint, 0)
COUNTS("tp_btf/sys_enter", tp_btf, 0)
COUNTS("tcx/egress", tcx, TCX_NEXT)
COUNTS("xdp", xdp, XDP_PASS)
COUNTS("netfilter", netfilter, 1)
COUNTS("cgroup_skb/egress", cgroup, 1)
COUNTS("sk_lookup", sk_lookup, 1)

SEC("freplace/verdict") int by_freplace(struct xdp_md *ctx)
{
	ran.freplace++;
	return XDP_DROP;
}

// A congestion control that never changes its window: what struct tcp_congestion_ops of net/tcp.h cannot do without.
struct sock;
struct tcp_congestion_ops {
	unsigned int (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, unsigned int ack, unsigned int acked);
	unsigned int (*undo_cwnd)(struct sock *sk);
	char name[16];
} __attribute__((preserve_access_index));

SEC("struct_ops") unsigned int ssthresh(unsigned long long *ctx)
{
	ran.struct_ops++;
	return 2;
}
SEC("struct_ops") void cong_avoid(unsigned long long *ctx)
{
	ran.struct_ops++;
}
SEC("struct_ops") unsigned int undo_cwnd(unsigned long long *ctx)
{
	ran.struct_ops++;
	return 2;
}
SEC(".struct_ops.link") struct tcp_congestion_ops steady = {
	.ssthresh = (void *)ssthresh, .cong_avoid = (void *)cong_avoid, .undo_cwnd = (void *)undo_cwnd, .name = "steady"};

char _license[] SEC("license") = "GPL";
