// Included before guard.bpf.c by a test: has calls of helpers and kfuncs fail, as the map guard_fault says. Each call in
// the sources is a site: an instruction marks it, which call-sites.ts numbers in the image of the guard.
#pragma once
#include "../../../../src/seal/guard/kfuncs.bpf.h"
#include "fault.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fault);
} guard_fault SEC(".maps");

__noinline int fails(__u32 mark)
{
	__u32 first = 0, site = mark & (FAULT_SITES - 1), helper = mark >> 12 & 0xff, number;
	struct fault *fault = bpf_map_lookup_elem(&guard_fault, &first);

	if (!fault || (fault->thread != FAULT_ANY_THREAD && fault->thread != (__u32)bpf_get_current_pid_tgid()))
		return 0;
	fault->calls[site]++;
	if (fault->site == FAULT_READS) {
		if (helper == BPF_FUNC_map_lookup_elem || helper == BPF_FUNC_map_delete_elem)
			return 0;
	} else if (fault->site != site) {
		return 0;
	}
	number = ++fault->count;
	if (fault->nth && fault->nth != number)
		return 0;
	fault->failed++;
	fault->failures[site]++;
	return 1;
}

#define FAILS(number)                                                                                                  \
	fails(({                                                                                                       \
		__u64 mark;                                                                                            \
		asm volatile("%0 = %1" : "=r"(mark) : "i"(FAULT_MARK | (number) << 12));                               \
		mark;                                                                                                  \
	}))

#define FAULT_EBUSY 16
#define FAULT_EINVAL 22
#define FAULT_ENOMEM 12

// The kernel zeroes the destination of a read that fails, and so does reading at address 0.
#define bpf_probe_read_kernel(to, size, from)                                                                          \
	bpf_probe_read_kernel(to, size, FAILS(BPF_FUNC_probe_read_kernel) ? (void *)0 : (void *)(from))
#define bpf_probe_read_kernel_str(to, size, from)                                                                      \
	bpf_probe_read_kernel_str(to, size, FAILS(BPF_FUNC_probe_read_kernel_str) ? (void *)0 : (void *)(from))
#define bpf_copy_from_user(to, size, from)                                                                             \
	bpf_copy_from_user(to, size, FAILS(BPF_FUNC_copy_from_user) ? (void *)0 : (void *)(from))
#define bpf_loop(count, callback, context, flags)                                                                      \
	(FAILS(BPF_FUNC_loop) ? -FAULT_ENOMEM : bpf_loop(count, callback, context, flags))
#define bpf_map_lookup_elem(map, key) (FAILS(BPF_FUNC_map_lookup_elem) ? NULL : bpf_map_lookup_elem(map, key))
#define bpf_map_update_elem(map, key, value, flags)                                                                    \
	(FAILS(BPF_FUNC_map_update_elem) ? -FAULT_EBUSY : bpf_map_update_elem(map, key, value, flags))
#define bpf_map_delete_elem(map, key) (FAILS(BPF_FUNC_map_delete_elem) ? -FAULT_EBUSY : bpf_map_delete_elem(map, key))
// Without the flag, it only looks up, which cannot fail.
#define bpf_task_storage_get(map, task, value, flags)                                                                  \
	((flags) & BPF_LOCAL_STORAGE_GET_F_CREATE && FAILS(BPF_FUNC_task_storage_get)                                  \
		 ? NULL                                                                                                \
		 : bpf_task_storage_get(map, task, value, flags))
// It takes no flag.
#define bpf_dynptr_from_mem(data, size, flags, dynptr)                                                                 \
	bpf_dynptr_from_mem(data, size, FAILS(BPF_FUNC_dynptr_from_mem) ? 1 : (flags), dynptr)
#define bpf_get_current_comm(to, size)                                                                                 \
	(FAILS(BPF_FUNC_get_current_comm) ? -FAULT_EINVAL : bpf_get_current_comm(to, size))
#define bpf_sysctl_get_name(ctx, to, size, flags)                                                                      \
	(FAILS(BPF_FUNC_sysctl_get_name) ? -FAULT_EINVAL : bpf_sysctl_get_name(ctx, to, size, flags))
#define bpf_sysctl_get_new_value(ctx, to, size)                                                                        \
	(FAILS(BPF_FUNC_sysctl_get_new_value) ? -FAULT_EINVAL : bpf_sysctl_get_new_value(ctx, to, size))
#define bpf_task_from_pid(pid) (FAILS(FAULT_TASK_FROM_PID) ? NULL : bpf_task_from_pid(pid))
#define bpf_get_fsverity_digest(file, digest)                                                                          \
	(FAILS(FAULT_GET_FSVERITY_DIGEST) ? -FAULT_ENOMEM : bpf_get_fsverity_digest(file, digest))
#define bpf_lookup_user_key(serial, flags) (FAILS(FAULT_LOOKUP_USER_KEY) ? NULL : bpf_lookup_user_key(serial, flags))
#define bpf_verify_pkcs7_signature(data, signature, keyring)                                                           \
	(FAILS(FAULT_VERIFY_PKCS7) ? -FAULT_ENOMEM : bpf_verify_pkcs7_signature(data, signature, keyring))
