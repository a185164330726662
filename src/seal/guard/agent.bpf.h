/* The agent's mark: the loader sets it for a process, through a pidfd, before the latch. It dies with the process. */
#pragma once

#include "kernel.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} guard_agent SEC(".maps");

/* Whether another process than the current one is the agent. */
static __always_inline bool is_foreign_agent(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;

	if (!leader || leader->tgid == (int)(bpf_get_current_pid_tgid() >> 32))
		return false;
	return bpf_task_storage_get(&guard_agent, leader, 0, 0) != NULL;
}

/* Whether the current task is a thread of the agent. */
static __always_inline bool is_agent(void)
{
	struct task_struct *leader = bpf_get_current_task_btf()->group_leader;

	return leader && bpf_task_storage_get(&guard_agent, leader, 0, 0) != NULL;
}
