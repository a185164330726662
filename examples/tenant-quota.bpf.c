// A cgroup program that counts in a map of its tenant: somebody else put the inner maps into its array of maps.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct quota {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 128);
	__type(key, __u32);
	__array(values, struct quota);
} tenants SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 1000);
	__uint(value_size, sizeof(__u32));
	__uint(map_extra, 3);
} known SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG | BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} limit SEC(".maps");

SEC("cgroup_skb/egress")
int count_egress(struct __sk_buff *skb)
{
	__u32 tenant = skb->mark & 127, slot = 0;
	void *quota = bpf_map_lookup_elem(&tenants, &tenant);
	__u64 *most = bpf_map_lookup_elem(&limit, &slot);
	__u64 *used;

	if (!quota || !most || bpf_map_peek_elem(&known, &tenant))
		return 1;
	used = bpf_map_lookup_elem(quota, &slot);
	if (!used)
		return 1;
	*used += skb->len;
	return *used <= *most;
}

char LICENSE[] SEC("license") = "GPL";
