/* The struct vfsmount of the folder of pins; 0 if there are no links. Set at the latch. */
#pragma once

#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} guard_pins SEC(".maps");
