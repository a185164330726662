// A program that acts on other tasks: it kills whoever writes to a file descriptor above 1000, and runs the next
// program of a chain.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct enter_write {
	__u64 common;
	__s64 number;
	__u64 fd;
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} chain SEC(".maps");

SEC("tp/syscalls/sys_enter_write")
int kill_writer(struct enter_write *ctx)
{
	if (ctx->fd > 1000)
		bpf_send_signal(9);
	bpf_tail_call(ctx, &chain, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
