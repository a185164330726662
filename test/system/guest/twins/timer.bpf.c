/* The verifier writes an address of the load into programs that set the callback of a timer. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct value {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} timers SEC(".maps");

static int expired(void *map, int *key, struct value *value)
{
	return 0;
}

SEC("xdp")
int with_timer(struct xdp_md *ctx)
{
	int key = 0;
	struct value *value = bpf_map_lookup_elem(&timers, &key);

	if (value) {
		bpf_timer_init(&value->timer, &timers, 1 /* CLOCK_MONOTONIC */);
		bpf_timer_set_callback(&value->timer, expired);
	}
	return XDP_PASS;
}
