// libbpf probes the kernel depending on what an object contains. This object has everything that causes probes and
// loads on any kernel: global data, a subprogram with a tagged argument, a helper with an older form, perf events and
// uprobes to attach to. No program has the name of a probe.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile int read_only = 1;
int initialised = 1;
int zeroed;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
	__uint(map_flags, BPF_F_MMAPABLE);
} own_map SEC(".maps");

__weak int own_subprogram(void *ctx __arg_ctx)
{
	return bpf_get_smp_processor_id();
}

SEC("tracepoint/sched/sched_switch")
int own_tracepoint(void *ctx)
{
	long word = 0;
	int key = 0;

	bpf_probe_read_kernel(&word, sizeof(word), ctx);
	bpf_map_update_elem(&own_map, &key, &zeroed, 0);
	return own_subprogram(ctx) + read_only + initialised + word;
}

SEC("uprobe//bin/true:main")
int own_uprobe(struct pt_regs *ctx)
{
	return bpf_get_attach_cookie(ctx);
}

SEC("uprobe.multi//bin/true:main")
int own_uprobe_multi(struct pt_regs *ctx)
{
	return 0;
}

SEC("xdp")
int own_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("sockops")
int own_sockops(struct bpf_sock_ops *ctx)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
