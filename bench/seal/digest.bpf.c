// Runs the guard's scan of instructions on those in a map, where LSM programs cannot be loaded.
#include "../../src/seal/guard/scan.bpf.h"
#include "digest.h"

#define ONE(name, type_of_value)                                                                                       \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                                      \
		__uint(max_entries, 1);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, type_of_value);                                                                          \
	} name SEC(".maps")

ONE(instructions, struct instructions);
ONE(measured, struct measured);
ONE(scans, struct scan);

SEC("syscall")
int measure(void *unused)
{
	__u32 first = 0;
	struct instructions *given = bpf_map_lookup_elem(&instructions, &first);
	struct measured *result = bpf_map_lookup_elem(&measured, &first);
	struct scan *scan = bpf_map_lookup_elem(&scans, &first);
	__u64 begin = bpf_ktime_get_ns();

	if (!given || !result || !scan)
		return 1;
	if (scan_instructions(scan, (__u64)given->insns, result->count) < 0)
		return 2;
	result->nanoseconds = bpf_ktime_get_ns() - begin;
	__builtin_memcpy(result->digest, scan->program.h, sizeof(result->digest));
	return 0;
}

char _license[] SEC("license") = "GPL";
