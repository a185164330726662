// Included before guard.bpf.c by a test: has the n-th call of a helper fail, as the map guard_fault says. The decision
// must depend on each call that can fail.
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>

struct fault {
	// Which call fails, from 1; 0 for none.
	__u32 nth;
	__u32 count;
	__u32 failed;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fault);
} guard_fault SEC(".maps");

static __always_inline bool fails(void)
{
	__u32 first = 0;
	struct fault *fault = bpf_map_lookup_elem(&guard_fault, &first);

	if (!fault || fault->nth == 0 || ++fault->count != fault->nth)
		return false;
	fault->failed = 1;
	return true;
}

#define ENOMEM 12
#define EBUSY 16

// The kernel zeroes the destination of a read that fails, and so does reading at address 0.
#define bpf_probe_read_kernel(to, size, from) bpf_probe_read_kernel(to, size, fails() ? (void *)0 : (void *)(from))
#define bpf_probe_read_kernel_str(to, size, from) bpf_probe_read_kernel_str(to, size, fails() ? (void *)0 : (void *)(from))
#define bpf_loop(count, callback, context, flags) (fails() ? -ENOMEM : bpf_loop(count, callback, context, flags))
// Without the flag, it only looks up.
#define bpf_task_storage_get(map, task, value, flags)                                                                  \
	((flags) & BPF_LOCAL_STORAGE_GET_F_CREATE && fails() ? NULL : bpf_task_storage_get(map, task, value, flags))
#define bpf_map_update_elem(map, key, value, flags) (fails() ? -EBUSY : bpf_map_update_elem(map, key, value, flags))
