// Fields: every kind, bit fields, anonymous members, flavours, arrays, and accesses whose size depends on the kernel.
#include "core.h"

struct list_head {
	struct list_head *next, *prev;
} KERNEL;

struct mm_struct {
	unsigned long start_code;
	unsigned long total_vm;
	unsigned long saved_auxv[46];
} KERNEL;

struct task_struct {
	int pid;
	int tgid;
	unsigned int flags;
	int prio;
	char comm[16];
	unsigned sched_reset_on_fork : 1;
	unsigned sched_migrated : 1;
	unsigned in_execve : 1;
	unsigned no_cgroup_migration : 1;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct list_head tasks;
	unsigned long long start_time;
	unsigned long atomic_flags;
} KERNEL;

// Linux 5.14 renamed the field, and made it an unsigned int.
struct task_struct___old {
	long state;
} KERNEL;
struct task_struct___new {
	unsigned int __state;
} KERNEL;
struct task_struct___none {
	int countersign_has_no_such_field;
	struct {
		int inside;
	} neither_this;
} KERNEL;
// Wider and narrower than in the kernel, where they are int, unsigned int and u64.
struct task_struct___sizes {
	unsigned short flags;
	unsigned long long pid;
	unsigned int start_time;
	long prio;
} KERNEL;

struct task_struct___longer {
	char comm[64];
} KERNEL;

SEC("raw_tp/sched_switch")
int every_kind(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	result = EVERY_KIND(task->pid) + EVERY_KIND(task->start_time);
	result += FIELD(BYTE_OFFSET, task->mm) + FIELD(BYTE_SIZE, task->mm) + FIELD(EXISTS, task->mm);
	result += FIELD(BYTE_OFFSET, task->comm) + FIELD(BYTE_SIZE, task->comm) + FIELD(EXISTS, task->comm);
	result += EVERY_KIND(task->sched_reset_on_fork) + EVERY_KIND(task->sched_migrated) + EVERY_KIND(task->in_execve) +
		  EVERY_KIND(task->no_cgroup_migration);
	return 0;
}

SEC("raw_tp/sched_switch")
int bit_fields(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	result = BPF_CORE_READ_BITFIELD_PROBED(task, sched_reset_on_fork);
	result += BPF_CORE_READ_BITFIELD_PROBED(task, sched_migrated) << 1;
	result += BPF_CORE_READ_BITFIELD_PROBED(task, in_execve) << 2;
	return 0;
}

SEC("raw_tp/sched_switch")
int chains(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	result = BPF_CORE_READ(task, real_parent, group_leader, mm, total_vm);
	result += BPF_CORE_READ(task, tasks.next, prev) == 0;
	return 0;
}

SEC("raw_tp/sched_switch")
int flavours(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct___old *old = (void *)task;
	struct task_struct___new *new = (void *)task;

	result = bpf_core_field_exists(old->state) ? BPF_CORE_READ(old, state) : BPF_CORE_READ(new, __state);
	return 0;
}

SEC("raw_tp/sched_switch")
int missing_guarded(void *ctx)
{
	struct task_struct___none *task = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(task->neither_this.inside))
		result = BPF_CORE_READ(task, neither_this.inside);
	result += bpf_core_field_size(task->countersign_has_no_such_field);
	return 0;
}

SEC("raw_tp/sched_switch")
int missing_unguarded(void *ctx)
{
	struct task_struct___none *task = (void *)bpf_get_current_task();

	result = BPF_CORE_READ(task, countersign_has_no_such_field);
	return 0;
}

// fentry reads through BTF pointers directly: the instructions themselves are relocated, sizes included.
SEC("tp_btf/sched_switch")
int BPF_PROG(direct, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	result = prev->pid + prev->tgid + next->flags + next->comm[3] + prev->mm->saved_auxv[5];
	result += prev->real_parent->group_leader->start_time;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(direct_wider, bool preempt, struct task_struct___sizes *prev)
{
	result = prev->pid;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(direct_narrower, bool preempt, struct task_struct___sizes *prev)
{
	result = prev->flags;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(direct_unsigned, bool preempt, struct task_struct___sizes *prev)
{
	result = prev->start_time;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(direct_signed, bool preempt, struct task_struct___sizes *prev)
{
	result = prev->prio;
	return 0;
}

// libbpf 1.5 compares the sizes of whole arrays, and 1.6 those of elements.
SEC("tp_btf/sched_switch")
int BPF_PROG(direct_array, bool preempt, struct task_struct___longer *prev)
{
	result = *(char *)&prev->comm;
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(stores, bool preempt, struct task_struct *prev)
{
	prev->pid = 5;
	prev->start_time = (unsigned long)ctx;
	prev->comm[1] = 'x';
	__sync_fetch_and_add(&prev->atomic_flags, 1);
	return 0;
}

// An array of structs, an array in a struct in an array, elements beyond the object's own bounds.
struct desc_struct {
	unsigned short limit0;
} KERNEL;
struct thread_struct {
	struct desc_struct tls_array[3];
	unsigned long sp;
} KERNEL;
struct task_struct___arrays {
	struct thread_struct thread;
	char comm[16];
} KERNEL;

SEC("raw_tp/sched_switch")
int arrays(void *ctx)
{
	struct task_struct___arrays *task = (void *)bpf_get_current_task();

	result = BPF_CORE_READ(task, thread.tls_array[1].limit0);
	result += BPF_CORE_READ(task, thread.sp) + BPF_CORE_READ(task, comm[15]);
	result += bpf_core_field_offset(task->thread.tls_array[2]) + bpf_core_field_size(task->thread.tls_array[2]);
	result += bpf_core_field_size(task->comm) + bpf_core_field_offset(task[2].comm[1]);
	return 0;
}

SEC("raw_tp/sched_switch")
int array_too_short(void *ctx)
{
	struct task_struct___longer *task = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(task->comm[40]))
		result = BPF_CORE_READ(task, comm[40]);
	return 0;
}

// A flexible array at the end of a struct, of any index.
struct cgroup {
	int level;
	struct cgroup *ancestors[];
} KERNEL;

SEC("raw_tp/sched_switch")
int flexible_array(void *ctx)
{
	struct cgroup *cgroup = (void *)bpf_get_current_task();

	if (bpf_core_field_exists(cgroup->ancestors[7]))
		result = (long)BPF_CORE_READ(cgroup, ancestors[7]);
	result += BPF_CORE_READ(cgroup, level);
	return 0;
}

// Members of anonymous structs and unions, whether the object declares them so or not.
struct sock_common {
	union {
		unsigned long long skc_addrpair;
		struct {
			unsigned int skc_daddr;
			unsigned int skc_rcv_saddr;
		};
	};
	unsigned short skc_family;
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
} KERNEL;
struct sock {
	struct sock_common __sk_common;
	unsigned short sk_type;
} KERNEL;
struct sock_common___flat {
	unsigned short skc_num;
	unsigned short skc_dport;
	unsigned int skc_hash;
} KERNEL;
struct sk_buff {
	struct sk_buff *next;
	unsigned int len;
	unsigned char *head;
	unsigned short transport_header;
	unsigned char pkt_type : 3;
	unsigned char cloned : 1;
} KERNEL;
struct page {
	unsigned long flags;
	struct {
		unsigned long index;
	};
	struct {
		int counter;
	} _refcount;
} KERNEL;

SEC("raw_tp/sched_switch")
int anonymous(void *ctx)
{
	struct sock *sock = (void *)bpf_get_current_task();
	struct sock_common___flat *flat = (void *)sock;
	struct sk_buff *buffer = (void *)sock;
	struct page *page = (void *)sock;

	result = BPF_CORE_READ(sock, __sk_common.skc_daddr) + BPF_CORE_READ(sock, __sk_common.skc_family);
	result += BPF_CORE_READ(flat, skc_num) + BPF_CORE_READ(flat, skc_dport) + BPF_CORE_READ(flat, skc_hash);
	result += BPF_CORE_READ_BITFIELD_PROBED(sock, __sk_common.skc_reuseport);
	result += BPF_CORE_READ(buffer, next, len) + BPF_CORE_READ(buffer, transport_header);
	result += BPF_CORE_READ_BITFIELD_PROBED(buffer, cloned);
	result += BPF_CORE_READ(page, index) + BPF_CORE_READ(page, _refcount.counter);
	return 0;
}
