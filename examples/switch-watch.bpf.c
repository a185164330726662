// A tracer that reads the kernel's memory with plain loads and calls no helper for it: fields of the tasks that a
// scheduler tracepoint is given, at offsets that CO-RE finds when it is loaded.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct task_struct {
	int pid;
	int prio;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, int);
	__type(value, __u64);
} switches SEC(".maps");

SEC("tp_btf/sched_switch")
int BPF_PROG(watch_switch, _Bool preempt, struct task_struct *prev, struct task_struct *next)
{
	int parent = next->real_parent->pid;
	__u64 one = 1;
	__u64 *seen = bpf_map_lookup_elem(&switches, &parent);

	if (seen)
		__sync_fetch_and_add(seen, next->prio > prev->prio);
	else
		bpf_map_update_elem(&switches, &parent, &one, BPF_NOEXIST);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
