// What bpftool attaches to an iterator and to a map.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, int);
} sockets SEC(".maps");

SEC("iter/task") int each_task(void *ctx)
{
	return 0;
}

SEC("sk_skb/verdict") int verdict(struct __sk_buff *packet)
{
	return SK_PASS;
}

char _license[] SEC("license") = "GPL";
