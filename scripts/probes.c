// libbpf probes the kernel depending on what an object contains. This object has everything that causes probes and
// loads on any kernel: global data, a value of .kconfig, a subprogram with a tagged argument, a helper with an older
// form, perf events, uprobes and USDT to attach to. No program has the name of a probe.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* libbpf probes for bpf_get_attach_cookie; usdt.bpf.h has the same */
extern const _Bool LINUX_HAS_BPF_COOKIE __kconfig;

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
	return own_subprogram(ctx) + read_only + initialised + word + LINUX_HAS_BPF_COOKIE;
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

/* libbpf probes for links to several uprobes; bpftool does not attach it, since it has none of usdt.bpf.h's maps */
SEC("usdt//bin/true:own:usdt")
int own_usdt(struct pt_regs *ctx)
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
