// Programs on packets and sockets. `// may NAME: …` says what each may do, as its source shows. Contexts are those of
// the UAPI headers: through vmlinux.h each field of one is relocated, and then may be any of them.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern int bpf_dynptr_from_xdp(struct xdp_md *xdp, __u64 flags, struct bpf_dynptr *ptr) __ksym;
extern void *bpf_dynptr_slice(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;
extern void *bpf_dynptr_slice_rdwr(const struct bpf_dynptr *ptr, __u32 offset, void *buffer, __u32 size) __ksym;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

// may look_by_dynptr: nothing
SEC("tc")
int look_by_dynptr(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;
	struct ethhdr buffer, *eth;

	if (bpf_dynptr_from_skb(skb, 0, &ptr))
		return 0;
	eth = bpf_dynptr_slice(&ptr, 0, &buffer, sizeof(buffer));
	if (eth && eth->h_proto == bpf_htons(0x0800)) {
		__u32 key = 1;
		__u64 *count = bpf_map_lookup_elem(&counts, &key);

		if (count)
			__sync_fetch_and_add(count, 1);
	}
	return 0;
}

// may write_by_dynptr: writes_packet
SEC("xdp")
int write_by_dynptr(struct xdp_md *xdp)
{
	struct bpf_dynptr ptr;
	struct ethhdr buffer, *eth;

	if (bpf_dynptr_from_xdp(xdp, 0, &ptr))
		return XDP_PASS;
	eth = bpf_dynptr_slice_rdwr(&ptr, 0, &buffer, sizeof(buffer));
	if (eth)
		eth->h_dest[0] = 2;
	return XDP_PASS;
}

static __noinline int rewrite(__u8 *bytes, void *end)
{
	if ((void *)(bytes + 1) > end)
		return 0;
	bytes[0] ^= 1;
	return 1;
}

// may write_in_subprogram: writes_packet
SEC("tc")
int write_in_subprogram(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	rewrite(data, end);
	return 0;
}

// may mark_only: writes_ctx
SEC("tc")
int mark_only(struct __sk_buff *skb)
{
	skb->mark = skb->len > 1000 ? 1 : 2;
	return -1;
}

// may drop_long: decides
SEC("xdp")
int drop_long(struct xdp_md *xdp)
{
	return xdp->data_end - xdp->data > 1500 ? XDP_DROP : XDP_PASS;
}

// may answer: redirects decides
SEC("xdp")
int answer(struct xdp_md *xdp)
{
	return xdp->data_end - xdp->data > 1500 ? XDP_TX : XDP_PASS;
}

// may note_connection: nothing
SEC("cgroup/connect4")
int note_connection(struct bpf_sock_addr *address)
{
	__u32 key = address->user_ip4;
	__u64 one = 1;

	bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return 1;
}

// may send_elsewhere: writes_ctx redirects changes_socket
SEC("cgroup/connect4")
int send_elsewhere(struct bpf_sock_addr *address)
{
	if (address->user_port == bpf_htons(53))
		address->user_ip4 = bpf_htonl(0x7f000001);
	return 1;
}

// may gather_sockets: changes_socket
SEC("sockops")
int gather_sockets(struct bpf_sock_ops *ops)
{
	__u32 key = ops->remote_port;

	if (ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		bpf_sock_hash_update(ops, &sockets, &key, BPF_ANY);
	return 1;
}

// may shorten_option: writes_ctx changes_socket overrides_return
SEC("cgroup/getsockopt")
int shorten_option(struct bpf_sockopt *option)
{
	__u8 *value = option->optval, *end = option->optval_end;

	if (value + 1 > end)
		return 1;
	value[0] = 0;
	option->optlen = 1;
	option->retval = 0;
	return 1;
}

// may take_the_place: decides
SEC("freplace/of_another")
int take_the_place(struct xdp_md *xdp)
{
	struct ethhdr *eth = (void *)(long)xdp->data;

	if ((void *)(eth + 1) > (void *)(long)xdp->data_end)
		return XDP_PASS;
	return eth->h_proto == bpf_htons(0x0806) ? XDP_DROP : XDP_PASS;
}

// may rewrite_for_another: writes_packet redirects decides
SEC("freplace/of_another")
int rewrite_for_another(struct xdp_md *xdp)
{
	struct ethhdr *eth = (void *)(long)xdp->data;

	if ((void *)(eth + 1) > (void *)(long)xdp->data_end)
		return XDP_PASS;
	eth->h_dest[0] = 2;
	return XDP_TX;
}

// what is replaced may be of another type, and lend memory in place of this context
// may write_for_another: writes_packet writes_ctx writes_shared_map decides
SEC("freplace/of_another")
int write_for_another(struct xdp_md *xdp)
{
	xdp->rx_queue_index = 1;
	return XDP_PASS;
}

// may stand_in: redirects overrides_return decides
SEC("freplace/of_another")
int stand_in(__u64 *context)
{
	return -1;
}

char LICENSE[] SEC("license") = "GPL";
