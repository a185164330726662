/*
 * Which commands of bpf(2) are denied, by the kernel's copy of attr. Fds in attr are not followed: another thread can
 * change what they refer to between the hook and the kernel's use.
 */
#pragma once

#include "attr.bpf.h"
#include "errno.bpf.h"
#include "status.bpf.h"

/* Linux 7.2 has BPF_COMMON_ATTRS: a command with this bit has a fourth argument, and is otherwise the same. */
#define COMMON_ATTRS 0x10000

/* BPF_PROG_ASSOC_STRUCT_OPS: the guard was written for the commands up to it. */
#define LAST_COMMAND 38

/* What attach_type_of() returns beside attach types. */
#define NO_ATTACH_TYPE 0xffffffff
#define UNREADABLE_ATTACH_TYPE 0xfffffffe

/* The attach types of the programs on the root cgroup. */
static __always_inline bool is_attach_type_of_guard(__u32 type)
{
	return type == BPF_LSM_CGROUP || type == BPF_CGROUP_SYSCTL || type == UNREADABLE_ATTACH_TYPE;
}

/* The attach type that a command is about. */
static __always_inline __u32 attach_type_of(__u32 command, const union bpf_attr *attr)
{
	__u32 type;

	switch (command & ~COMMON_ATTRS) {
	case BPF_PROG_ATTACH:
	case BPF_PROG_DETACH:
		type = ATTR(attr, attach_type);
		break;
	case BPF_LINK_CREATE:
		type = ATTR(attr, link_create.attach_type);
		break;
	default:
		return NO_ATTACH_TYPE;
	}
	return type == ~0U ? UNREADABLE_ATTACH_TYPE : type;
}

/* Whether a command asks for a link of the guard, or for one whose id cannot be read. */
static __always_inline bool is_for_own_link(const struct guard_status *status, const union bpf_attr *attr)
{
	__u32 id = ATTR(attr, link_id);

	return id <= status->last_link_id || id == ~0U;
}

/*
 * Returns a reason of enum guard_reason, or 0. Programs and maps by id are left to hooks bpf_prog and bpf_map. Links
 * have no such hook. BPF_LINK_UPDATE and BPF_LINK_DETACH need no rule: the guard's links are of tracing programs, which
 * the kernel neither updates nor detaches (bpf_tracing_link_lops of kernel/bpf/syscall.c), and what is on the root
 * cgroup has no link.
 */
static __always_inline __u32 judge_command(const struct guard_status *status, __u32 command, const union bpf_attr *attr)
{
	__u32 known = command & ~COMMON_ATTRS;

	/* links answer them */
	if (command == GUARD_COMMAND_LIST || command == GUARD_COMMAND_SIGNATURE)
		return 0;
	if (known > LAST_COMMAND)
		return GUARD_UNKNOWN_COMMAND;
	if (is_attach_type_of_guard(attach_type_of(known, attr)))
		return GUARD_OWN_HOOK;
	if (known == BPF_TOKEN_CREATE)
		return GUARD_TOKEN;
	if (known == BPF_LINK_GET_FD_BY_ID && is_for_own_link(status, attr))
		return GUARD_OWN_OBJECT;
	return 0;
}
