/* Capabilities of the current task in the first user namespace. */
#pragma once

#include "kernel.h"

#define CAP_SYS_ADMIN 21
#define CAP_BPF 39

static __always_inline bool has_capability(__u32 capability)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 capabilities = BPF_CORE_READ(task, cred, cap_effective.val);

	return capabilities >> capability & 1 && BPF_CORE_READ(task, cred, user_ns, level) == 0;
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
