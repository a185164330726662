// An exception callback: no instruction refers to it, a tag in BTF alone does, and the loader appends it all the same.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#define EXCEPTION_CALLBACK(name) __attribute__((btf_decl_tag("exception_callback:" #name)))

__noinline int last_word(__u64 cookie)
{
	return bpf_get_prandom_u32() & 1 ? TC_ACT_SHOT : TC_ACT_OK;
}

__noinline int length_class(__u32 length)
{
	return length >> 8 & 15;
}

SEC("tc") EXCEPTION_CALLBACK(last_word)
int classify(struct __sk_buff *skb)
{
	skb->priority = length_class(skb->len);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
