// A program with a function that another one replaces.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__attribute__((noinline)) int verdict(struct xdp_md *ctx)
{
	volatile int pass = XDP_PASS;

	return pass;
}

SEC("xdp") int replaced(struct xdp_md *ctx)
{
	return verdict(ctx);
}

char _license[] SEC("license") = "GPL";
