// A socket filter whose map stands in the older `maps` section, as loaders before libbpf 1.0 and iproute2 want it.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct bpf_map_def {
	unsigned int type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	unsigned int map_flags;
};

struct bpf_map_def lengths __attribute__((section("maps"), used)) = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u64),
	.max_entries = 16,
};

SEC("socket")
int count_lengths(struct __sk_buff *skb)
{
	__u32 key = skb->len >> 7 & 15;
	__u64 *seen = bpf_map_lookup_elem(&lengths, &key);

	if (seen)
		__sync_fetch_and_add(seen, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
