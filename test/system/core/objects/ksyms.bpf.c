// Variables of the kernel: typed ones by BTF, typeless ones by /proc/kallsyms; weak ones, and names with a flavour.
#include "core.h"

struct rq {
	unsigned int nr_running;
} KERNEL;

struct softnet_data {
	unsigned int processed;
} KERNEL;

extern const struct rq runqueues __ksym;
extern const int bpf_prog_active __ksym;
extern const struct softnet_data softnet_data __ksym __weak;
extern const int countersign_no_such_variable __ksym __weak;
extern const struct rq runqueues___again __ksym __weak;

extern const void init_task __ksym;
extern const void jiffies __ksym;
extern const void duplicate_symbol __ksym;
extern const void countersign_no_such_symbol __ksym __weak;
extern const void vfs_read __ksym __weak;

SEC("raw_tp/sched_switch")
int typed(void *ctx)
{
	const struct rq *queue = bpf_this_cpu_ptr(&runqueues);
	const int *active = bpf_per_cpu_ptr(&bpf_prog_active, 1);

	result = queue->nr_running + (active ? *active : 0);
	return 0;
}

SEC("raw_tp/sched_switch")
int typed_weak(void *ctx)
{
	if (&softnet_data)
		result = (long)bpf_this_cpu_ptr(&softnet_data);
	if (&countersign_no_such_variable)
		result += *(const int *)bpf_this_cpu_ptr(&countersign_no_such_variable);
	if (&runqueues___again)
		result += (long)bpf_this_cpu_ptr(&runqueues___again);
	return 0;
}

SEC("raw_tp/sched_switch")
int typeless(void *ctx)
{
	result = (long)&init_task + (long)&jiffies;
	return 0;
}

SEC("raw_tp/sched_switch")
int typeless_twice(void *ctx)
{
	result = (long)&duplicate_symbol;
	return 0;
}

SEC("raw_tp/sched_switch")
int typeless_weak(void *ctx)
{
	if (&countersign_no_such_symbol)
		result = (long)&countersign_no_such_symbol;
	if (&vfs_read)
		result += (long)&vfs_read;
	return 0;
}
