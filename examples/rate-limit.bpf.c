// Everything that a linker has to do for a program: static and global subprograms, one called by another, a callback,
// read-only, initialised and zeroed global data, and a map that outlives it by being pinned.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

struct bucket {
	__u64 tokens;
	__u64 refilled;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

const volatile __u64 burst = 64;
const volatile __u64 nanoseconds_per_token = 1000000;
__u64 limited;
__u32 classes[4] = { 1, 2, 4, 8 };
static __u64 refills = 1;

static __noinline __u64 earned(__u64 since, __u64 now)
{
	refills += 1;
	return (now - since) / (nanoseconds_per_token ?: 1);
}

__noinline int take(struct bucket *bucket, __u32 amount)
{
	__u64 now = bpf_ktime_get_ns();

	if (!bucket)
		return 1;
	bucket->tokens += earned(bucket->refilled, now);
	bucket->refilled = now;
	if (bucket->tokens > burst)
		bucket->tokens = burst;
	if (bucket->tokens < amount)
		return 0;
	bucket->tokens -= amount;
	return 1;
}

static long weigh(__u32 index, void *context)
{
	*(__u64 *)context += classes[index & 3];
	return 0;
}

SEC("tc")
int limit(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	__u64 weight = 0;

	bpf_loop(skb->priority & 3, weigh, &weight, 0);
	if (take(bucket, (__u32)weight))
		return TC_ACT_OK;
	__sync_fetch_and_add(&limited, 1);
	return TC_ACT_SHOT;
}

SEC("tc")
int measure(struct __sk_buff *skb)
{
	struct bucket spare = { .tokens = skb->len };

	take(&spare, 1);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
