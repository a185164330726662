// Programs that trace. `// may NAME: …` says what each may do, as its source shows: a kprobe, tracepoint or perf_event
// program that returns 0 decides that perf does not record the event.
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __ksym;
extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
extern void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;
extern int bpf_cpumask_populate(struct cpumask *mask, void *src, size_t src__sz) __ksym;

struct event {
	__u32 pid;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct element {
	__u64 count;
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct element);
} elements SEC(".maps");

const volatile int target;
int seen;

// may note_switch: decides
SEC("tracepoint/sched/sched_switch")
int note_switch(struct trace_event_raw_sched_switch *ctx)
{
	struct event *event;

	if (target && ctx->next_pid != target)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->pid = ctx->next_pid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	seen++;
	return 0;
}

// may follow_task: reads_kernel_memory
SEC("tp_btf/sched_switch")
int BPF_PROG(follow_task, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	seen = next->mm ? next->mm->map_count : prev->pid;
	return 0;
}

// may read_with_core: reads_kernel_memory
SEC("raw_tp/sched_switch")
int BPF_PROG(read_with_core, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	seen = BPF_CORE_READ(next, real_parent, tgid);
	return 0;
}

// may print_numbers: decides
SEC("kprobe/vfs_read")
int print_numbers(struct pt_regs *ctx)
{
	bpf_printk("%d of %lu", seen, PT_REGS_PARM1(ctx));
	return 0;
}

// may print_name: reads_kernel_memory reads_user_memory decides
SEC("kprobe/vfs_read")
int print_name(struct pt_regs *ctx)
{
	bpf_printk("%s", PT_REGS_PARM1(ctx));
	return 0;
}

// may read_argument: reads_user_memory decides
SEC("tracepoint/syscalls/sys_enter_openat")
int read_argument(struct trace_event_raw_sys_enter *ctx)
{
	char name[32];

	bpf_probe_read_user_str(name, sizeof(name), (void *)ctx->args[1]);
	seen += name[0];
	return 0;
}

static int each(__u32 index, void *data)
{
	*(__u64 *)data += index;
	return 0;
}

// may loop_over: decides
SEC("perf_event")
int loop_over(struct bpf_perf_event_data *ctx)
{
	__u64 sum = 0;
	struct bpf_iter_num it;
	int *value;

	bpf_loop(16, each, &sum, 0);
	bpf_iter_num_new(&it, 0, 10);
	while ((value = bpf_iter_num_next(&it)))
		sum += *value;
	bpf_iter_num_destroy(&it);
	seen += sum;
	return 0;
}

static int ring(void *map, int *key, struct element *element)
{
	element->count++;
	return 0;
}

// may set_timer: nothing
SEC("tp_btf/sched_switch")
int BPF_PROG(set_timer)
{
	__u32 key = 0;
	struct element *element = bpf_map_lookup_elem(&elements, &key);

	if (!element)
		return 0;
	bpf_timer_init(&element->timer, &elements, 1);
	bpf_timer_set_callback(&element->timer, ring);
	bpf_timer_start(&element->timer, 1000, 0);
	return 0;
}

// may find_task: reads_kernel_memory
SEC("tp_btf/sched_switch")
int BPF_PROG(find_task)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 0;
	seen = task->tgid;
	bpf_task_release(task);
	return 0;
}

// may kill_it: sends_signal
SEC("tp_btf/sched_switch")
int BPF_PROG(kill_it)
{
	if (bpf_get_current_pid_tgid() >> 32 == target)
		bpf_send_signal(9);
	return 0;
}

// may change_elements: writes_shared_map
SEC("iter/bpf_map_elem")
int change_elements(struct bpf_iter__bpf_map_elem *ctx)
{
	__u64 *value = ctx->value;

	if (value)
		*value = 0;
	return 0;
}

// may list_tasks: reads_kernel_memory
SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(seq, "%d %d\n", task->pid, task->tgid);
	return 0;
}

// may fill_mask: reads_kernel_memory
SEC("tp_btf/sched_switch")
int BPF_PROG(fill_mask)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();
	__u64 bits[16] = {1};

	if (!mask)
		return 0;
	bpf_cpumask_populate((struct cpumask *)mask, bits, sizeof(bits));
	bpf_cpumask_release(mask);
	return 0;
}

// may allow_all: nothing
SEC("lsm/file_open")
int BPF_PROG(allow_all, struct file *file)
{
	seen++;
	return 0;
}

// may refuse_some: decides reads_kernel_memory
SEC("lsm/file_open")
int BPF_PROG(refuse_some, struct file *file)
{
	return file->f_flags & 1 ? -1 : 0;
}

// may spare_function: overrides_return decides
SEC("fmod_ret/bpf_modify_return_test")
int BPF_PROG(spare_function, int a, int *b, int ret)
{
	return ret + 1;
}

char LICENSE[] SEC("license") = "GPL";
