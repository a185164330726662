// EXPECT reads_kernel_memory writes_packet
// Headroom that bpf_xdp_adjust_head adds is not cleared: it keeps what it finds there, and leaves a mark.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#define ADDED 192
#define MARK 0xa5
struct found {
	__u32 packets;
	__u32 marks;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct found);
} headroom SEC(".maps");

SEC("xdp")
int look_into_headroom(struct xdp_md *ctx)
{
	__u32 key = 0, marks = 0;
	struct found *found = bpf_map_lookup_elem(&headroom, &key);

	if (!found || bpf_xdp_adjust_head(ctx, -ADDED))
		return XDP_DROP;
	volatile __u8 *data = (void *)(long)ctx->data;

	if ((void *)(long)ctx->data + ADDED > (void *)(long)ctx->data_end)
		return XDP_DROP;
	for (int at = 0; at < ADDED; at++) {
		marks += data[at] == MARK;
		data[at] = MARK;
	}
	found->packets++;
	if (marks > found->marks)
		found->marks = marks;
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
