/* Capabilities of the current task in the first user namespace. */
#pragma once

#include "kernel.h"

#define CAP_SYS_ADMIN 21
#define CAP_BPF 39

static __always_inline bool has_capability(__u32 capability)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct user_namespace *namespace;
	const struct cred *cred;
	__u64 capabilities;
	int level;

	if (READ(cred, task, cred) || READ(capabilities, cred, cap_effective.val) || READ(namespace, cred, user_ns) ||
	    READ(level, namespace, level))
		return false;
	return capabilities >> capability & 1 && level == 0;
}

/* Whether the task may give the guard commands that change the machine. */
static __always_inline bool is_administrator(void)
{
	return has_capability(CAP_SYS_ADMIN);
}

static __always_inline bool may_load_programs(void)
{
	return has_capability(CAP_BPF) || is_administrator();
}
