// A subprogram that reads a variable of the kernel, and an exception callback.
#include "core.h"

struct task_struct {
	int pid;
	unsigned long long start_time;
} KERNEL;
extern const int bpf_prog_active __ksym __weak;
void bpf_throw(unsigned long long cookie) __ksym __weak;

__noinline int active(void)
{
	return &bpf_prog_active ? *(const int *)bpf_this_cpu_ptr(&bpf_prog_active) : 0;
}

__noinline int caught(unsigned long long cookie)
{
	return cookie + active();
}

__noinline int pid(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, pid);
}

SEC("?tc")
__attribute__((btf_decl_tag("exception_callback:caught"))) int throws(struct __sk_buff *ctx)
{
	if (bpf_throw && ctx->len > 1000)
		bpf_throw(7);
	return pid();
}
