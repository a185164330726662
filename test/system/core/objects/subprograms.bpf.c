// Subprograms in every order, and callbacks, with relocations in all of them.
#include "core.h"

struct task_struct {
	int pid;
	struct task_struct *real_parent;
	unsigned long long start_time;
} KERNEL;
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, int);
	__type(value, long long);
} counts SEC(".maps");
static __noinline long long started(struct task_struct *task)
{
	return BPF_CORE_READ(task, start_time);
}

static __noinline long long parents(struct task_struct *task, int most)
{
	struct task_struct *at = task;

	for (int i = 0; i < 4 && i < most; i++)
		at = BPF_CORE_READ(at, real_parent);
	return started(at) + BPF_CORE_READ(at, pid);
}

__noinline int global(int factor)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return parents(task, factor) * factor;
}

static long each(void *map, const int *key, long long *value, void *ctx)
{
	*value += started((void *)bpf_get_current_task());
	return 0;
}

static long repeat(unsigned int index, void *ctx)
{
	result += index + global(index & 3);
	return 0;
}

__noinline int last(void)
{
	return started((void *)bpf_get_current_task());
}

SEC("raw_tp/sched_switch")
int first(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	result = parents(task, 2) + started(task);
	return 0;
}

SEC("raw_tp/sched_switch")
int second(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	result = started(task) + global(3) + parents(task, 1);
	return 0;
}

SEC("raw_tp/sched_switch")
int callbacks(void *ctx)
{
	bpf_for_each_map_elem(&counts, each, 0, 0);
	bpf_loop(5, repeat, 0, 0);
	return 0;
}

SEC("raw_tp/sched_switch")
int callbacks_reversed(void *ctx)
{
	bpf_loop(5, repeat, 0, 0);
	bpf_for_each_map_elem(&counts, each, 0, 0);
	return last();
}
