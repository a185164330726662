/* The table of classes and the mask: the loader fills it before the guard is attached. */
#pragma once

#include "kernel.h"
#include "interface.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_classes);
} guard_classes SEC(".maps");

static __always_inline const struct guard_classes *classes_of_guard(void)
{
	__u32 first = 0;

	return bpf_map_lookup_elem(&guard_classes, &first);
}
