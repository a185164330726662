/* The program with value 1 of programs/load-value.c, as an object for bpftool. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("socket")
int listed(void *context)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
