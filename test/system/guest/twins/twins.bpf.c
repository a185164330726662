/* Two programs with one tag on Linux before 6.18: a collision of 64 bits of SHA-1. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define TWIN(number, verdict) \
	asm volatile("r1 = " number " ll; r0 = 0; r2 = 0; r0 = " verdict "; exit" ::: "r0", "r1", "r2")

#ifndef WITHOUT_PASS
SEC("xdp")
__attribute__((naked)) int twin_pass(void)
{
	TWIN("0x7914a7724535c8f8", "2");
}
#endif

#ifndef WITHOUT_DROP
SEC("xdp")
__attribute__((naked)) int twin_drop(void)
{
	TWIN("0x2386a0a5172ad6a7", "1");
}
#endif

char _license[] SEC("license") = "GPL";
