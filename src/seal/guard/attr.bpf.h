/* Reads bpf_attr, of which a hook gets the kernel's copy. Members never move in it. */
#pragma once

#include "kernel.h"

/* The member of a union bpf_attr that the kernel holds; all ones if it cannot be read, which no decision may allow. */
#define ATTR(attr, member)                                                                                             \
	({                                                                                                             \
		__typeof_unqual__((attr)->member) value;                                                                          \
		if (bpf_probe_read_kernel(&value, sizeof(value), &(attr)->member))                                     \
			__builtin_memset(&value, 0xff, sizeof(value));                                                 \
		value;                                                                                                 \
	})

/* Since Linux 6.14: maps that the kernel gives to the program before those that its instructions name. */
union bpf_attr___fd_array {
	__u32 fd_array_cnt;
} __attribute__((preserve_access_index));

static __always_inline __u32 attr_fd_array_cnt(const union bpf_attr *attr)
{
	const union bpf_attr___fd_array *newer = (const void *)attr;
	__u32 count;

	if (!bpf_core_field_exists(newer->fd_array_cnt))
		return 0;
	return bpf_core_read(&count, sizeof(count), &newer->fd_array_cnt) ? ~0 : count;
}
