/*
 * The least that the loader takes for a guard: it denies every program load once it is attached, and has one hook at a
 * link. With it the loader is tested without the decisions of src/seal/guard.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "../../../../src/seal/guard/interface.h"

#define EPERM 1
#define EALREADY 114

struct bpf_prog {
	__u32 len;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_status);
} guard_status SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_programs);
} guard_programs SEC(".maps");

/* What the loader sets in every guard. */
const volatile __u32 guard_loader_tgid = 0;
const volatile __s32 guard_list_ring = 0;
const volatile __s32 guard_program_ring = 0;
const volatile __u8 guard_kernel_btf[32] = {};
/* What the guard answers to the commands that ask for the latch and set it. */
const volatile __u32 answer = EALREADY;
__u64 longest;

static struct guard_status *status_of(void)
{
	__u32 zero = 0;
	return bpf_map_lookup_elem(&guard_status, &zero);
}

__noinline int count(__u64 reason)
{
	struct guard_status *status = status_of();
	if (status == NULL || reason >= GUARD_REASONS)
		return 0;
	__sync_fetch_and_add(&status->denied[reason], 1);
	return status->mode == GUARD_MODE_ENFORCE;
}

SEC("lsm_cgroup/bpf_prog_load")
int BPF_PROG(minimal_load, struct bpf_prog *prog)
{
	if (prog->len > longest)
		longest = prog->len;
	/* The verifier knows nothing of what a global function returns, and clang makes `x == 0` of a branch. */
	int allowed = !count(GUARD_UNLISTED);
	asm volatile("%0 &= 1" : "+r"(allowed));
	return allowed;
}

SEC("lsm_cgroup/bpf")
int BPF_PROG(minimal_bpf, int command)
{
	struct guard_status *status = status_of();
	if ((command != GUARD_COMMAND_SEAL && command != GUARD_COMMAND_CHECK) || status == NULL)
		return 1;
	if (bpf_get_current_pid_tgid() >> 32 != guard_loader_tgid)
		return 0;
	if (command == GUARD_COMMAND_SEAL)
		status->state |= GUARD_SEALED;
	bpf_set_retval(-(int)answer);
	return 0;
}

SEC("cgroup/sysctl")
int minimal_sysctl(struct bpf_sysctl *context)
{
	char name[32] = "";
	struct guard_status *status = status_of();
	if (status == NULL || !(status->state & GUARD_SEALED) || !context->write)
		return 1;
	bpf_sysctl_get_name(context, name, sizeof(name), 0);
	return bpf_strncmp(name, 22, "kernel/ftrace_enabled") != 0;
}

SEC("lsm/bpf_token_create")
int BPF_PROG(minimal_token)
{
	struct guard_status *status = status_of();
	__u32 sealed = status == NULL ? 0 : status->state & GUARD_SEALED;
	/* Otherwise clang computes `-sealed`, whose range the verifier does not see. */
	asm volatile("" : "+r"(sealed));
	return sealed ? -EPERM : 0;
}

char _license[] SEC("license") = "GPL";
