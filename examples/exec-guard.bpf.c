// A program that decides: an LSM hook whose return value refuses an execve, with two kfuncs, a kernel symbol
// and the kernel's configuration, and the fentry of the same hook, which only watches.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct task_struct;
struct file;

struct linux_binprm {
	struct file *file;
	const char *filename;
} __attribute__((preserve_access_index));

extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;
extern int CONFIG_HZ __kconfig;
extern const void init_task __ksym;

#define EPERM 1

SEC("lsm/bprm_check_security")
int BPF_PROG(guard, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return -EPERM;
	bpf_task_release(task);
	return 0;
}

SEC("fentry/security_bprm_check")
int BPF_PROG(watch, struct linux_binprm *bprm)
{
	bpf_printk("execve in task %lx at %d Hz", bpf_get_current_task() == (__u64)&init_task, CONFIG_HZ);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
