/* A program that no list has, as an object for bpftool. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int unlisted(void *context)
{
	return 2;
}

char _license[] SEC("license") = "GPL";
