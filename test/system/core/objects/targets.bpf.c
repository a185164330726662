// What programs attach to: functions of vmlinux and of modules, hooks, iterators, and what no kernel has.
#include "core.h"

struct file {
	unsigned int f_mode;
	unsigned int f_flags;
} KERNEL;
struct bpf_iter_meta {
	unsigned long long seq_num;
} KERNEL;
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} KERNEL;

#define FILE_PROGRAM(section, program)                                                                                   \
	SEC(section)                                                                                                       \
	int BPF_PROG(program, struct file *file)                                                                           \
	{                                                                                                                  \
		result = file->f_mode;                                                                                     \
		return 0;                                                                                                  \
	}
#define EMPTY(section, program)                                                                                          \
	SEC(section)                                                                                                       \
	int program(void *ctx)                                                                                             \
	{                                                                                                                  \
		return 0;                                                                                                  \
	}

FILE_PROGRAM("fentry/vfs_read", entry)
FILE_PROGRAM("fexit/vfs_write", on_return)
FILE_PROGRAM("fentry.s/vfs_open", sleepable)
FILE_PROGRAM("lsm/file_open", hook)
FILE_PROGRAM("lsm.s/file_open", sleepable_hook)
FILE_PROGRAM("?fentry/vfs_read", optional)
EMPTY("fmod_ret/security_file_open", fmod_ret)
EMPTY("lsm_cgroup/socket_bind", lsm_cgroup)
EMPTY("fentry/nf_conntrack_in", of_a_module)
EMPTY("fentry/nf_conntrack:nf_conntrack_in", of_a_named_module)
EMPTY("fexit/xfs:xfs_file_open", of_xfs)
EMPTY("fentry/nf_nat:nf_conntrack_in", of_the_wrong_module)
EMPTY("fentry/nowhere:vfs_read", of_no_module)
EMPTY("fentry/countersign_nowhere", of_no_function)
EMPTY("tp_btf/countersign_nowhere", of_no_tracepoint)
EMPTY("lsm/countersign_nowhere", of_no_hook)
EMPTY("iter/countersign_nowhere", of_no_iterator)
EMPTY("kprobe/countersign_nowhere", no_kprobe)
EMPTY("kprobe.multi/vfs_*", multi)
EMPTY("kprobe.session/vfs_*", session)
EMPTY("uprobe.multi//proc/self/exe:main", uprobes)
EMPTY("uprobe/", uprobe)
EMPTY("usdt", of_usdt)
EMPTY("tp/sched/sched_switch", tracepoint)
EMPTY("raw_tp.w/sched_switch", writable)
EMPTY("ksyscall/openat", of_system_call)
EMPTY("perf_event", of_perf_event)
EMPTY("cgroup_skb/egress", egress)
EMPTY("cgroup/bind4", bind)
EMPTY("sockops", of_sockops)
EMPTY("sk_lookup", lookup)
EMPTY("xdp.frags", fragments)
EMPTY("tcx/ingress", tcx)
EMPTY("netfilter", of_netfilter)
EMPTY("flow_dissector", dissector)
EMPTY("syscall", of_bpf_syscall)
EMPTY("struct_ops/unused", unused_operation)

SEC("iter/task")
int iterator(struct bpf_iter__task *ctx)
{
	result = ctx->meta->seq_num;
	return 0;
}
