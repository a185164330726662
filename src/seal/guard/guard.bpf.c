/*
 * The guard: BPF programs on LSM hooks that decide which programs may be loaded, and protect themselves. Names of
 * sections say how the loader attaches: `lsm_cgroup/HOOK` to the root cgroup by BPF_PROG_ATTACH with BPF_F_ALLOW_MULTI;
 * `lsm/HOOK` and `lsm.s/HOOK` by a link that it pins. hooks.ts says why.
 */
#include "classes.bpf.h"
#include "command-rules.bpf.h"
#include "commands.bpf.h"
#include "decide-signature.bpf.h"
#include "new-list.bpf.h"
#include "protect.bpf.h"

SEC("lsm_cgroup/bpf_prog_load")
int BPF_PROG(guard_prog_load, struct bpf_prog *prog, union bpf_attr *attr)
{
	struct guard_status *status = status_of_guard();
	struct event_detail detail = { .hook = GUARD_AT_BPF_PROG_LOAD };
	__u64 key = (__u64)prog->aux;
	struct scan *scan;
	__u32 reason;
	int result;

	if (!status)
		return DENY;
	detail.detail[0] = ATTR(attr, prog_type);
	detail.detail[1] = ATTR(attr, expected_attach_type);
	detail.detail[2] = prog->len;
	scan = scan_of_task();
	if (!scan) {
		/* under audit, step 2 records nothing of a program that is not remembered */
		bpf_map_delete_elem(&guard_admitted, &key);
		return verdict(status, GUARD_FAILURE, &detail);
	}
	lock_in_time(status);
	begin_admission(&scan->admission);
	if (scan_instructions(scan, (__u64)prog->insnsi, prog->len) < 0) {
		reason = GUARD_FAILURE;
	} else {
		fill_key(scan, prog, attr, detail.detail[0], detail.detail[1]);
		detail.digest = scan->key.digest;
		reason = decide_load(status, prog, attr, scan, &scan->admission);
		reason = decide_signature(reason, prog, attr, scan, &scan->admission);
		reason = decide_class(reason, scan, prog, attr, &scan->admission);
		reason = require_signature(status, reason, prog, attr, scan);
		copy_digest(scan->admission.digest, scan->key.digest);
	}
	if (reason == 0) {
		__sync_fetch_and_add(&status->allowed, 1);
		publish(status);
	}
	result = verdict(status, reason, &detail);
	if (result == DENY) {
		bpf_map_delete_elem(&guard_admitted, &key);
		return DENY;
	}
	/* under audit, step 2 does not record the denial again */
	scan->admission.allowed |= reason != 0;
	if (bpf_map_update_elem(&guard_admitted, &key, &scan->admission, BPF_ANY))
		return verdict(status, GUARD_FAILURE, &detail);
	return ALLOW;
}

SEC("lsm_cgroup/bpf_prog")
int BPF_PROG(guard_prog, struct bpf_prog *prog)
{
	struct guard_status *status = status_of_guard();
	struct event_detail detail = {
		.hook = GUARD_AT_BPF_PROG,
		.detail = { prog->type, prog->expected_attach_type, prog->len },
	};
	__u64 key = (__u64)prog->aux;
	struct admission *admission;
	struct scan *scan;
	__u32 reason;

	if (!status)
		return DENY;
	if (is_own_program(prog))
		return verdict(status, is_protecting(status) ? GUARD_OWN_OBJECT : 0, &detail);
	scan = scan_of_task();
	if (!scan)
		return verdict(status, GUARD_FAILURE, &detail);
	admission = &scan->admission;
	/* not seen by step 1: loaded before the guard, or evicted */
	if (!recall(admission, key))
		return verdict(status, is_sealed(status) && prog->aux->load_time >= status->sealed_at ? GUARD_MAPS : 0,
			       &detail);
	if (admission->allowed)
		return ALLOW;
	detail.digest = admission->digest;
	if (uses_own_map(prog)) {
		reason = is_protecting(status) ? GUARD_OWN_OBJECT : 0;
	} else {
		reason = decide_maps(status, prog, scan);
		if (reason == GUARD_MAPS && admission->class_row)
			reason = decide_maps_of_class(prog, scan, admission);
	}
	admission->allowed = 1;
	if (reason == 0 && bpf_map_update_elem(&guard_admitted, &key, admission, BPF_EXIST))
		reason = GUARD_FAILURE;
	return verdict(status, reason, &detail);
}

/* Since Linux 6.16 the hook has another argument: whether a BPF program makes the call, which changes nothing. */
SEC("lsm_cgroup/bpf")
int BPF_PROG(guard_bpf, int command, union bpf_attr *attr, unsigned int size)
{
	struct guard_status *status = status_of_guard();
	__u32 reason;
	int error, result;

	if (!status)
		return DENY;
	error = run_command(status, command, attr, size);
	if (error) {
		bpf_set_retval(error);
		return DENY;
	}
	if (!is_protecting(status))
		return ALLOW;
	reason = judge_command(status, command, attr);
	result = protect(status, GUARD_AT_BPF, reason, command, attach_type_of(command, attr));
	/* the answer of a kernel that does not know the command: loaders try commands to find out */
	if (reason == GUARD_UNKNOWN_COMMAND && result == DENY)
		bpf_set_retval(-EINVAL);
	return result;
}

char _license[] SEC("license") = "GPL";
