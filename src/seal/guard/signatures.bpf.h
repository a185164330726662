/*
 * Programs whose instructions carry a signature that the kernel verified by the keyring of signers.
 *
 * A task brings instructions with a signature by GUARD_COMMAND_SIGNATURE. Hook `bpf` can sleep where a link has it, so
 * that it copies both, has the kernel verify, and keeps the SHA-256 of what was verified in the storage of the task.
 * Step 1 compares that with the digest that it computes anyway: it needs nothing from the hook of the load, which
 * cannot sleep. If the link is lost, no signature counts. On Linux 6.18 and later, bpf_attr can have the signature.
 */
#pragma once

#include "attr.bpf.h"
#include "capabilities.bpf.h"
#include "errno.bpf.h"
#include "interface.h"
#include "kernel-keys.bpf.h"
#include "rings.bpf.h"
#include "scan.bpf.h"
#include "status.bpf.h"
#include "weak-digest.bpf.h"

/* What a task brings at one time. */
#define COPIES 4
#define MAX_SIGNED_BYTES (8 * GUARD_MAX_SIGNED_INSNS)

struct signed_copy {
	/* 1 while a task uses it. */
	__u32 busy;
	__u32 reserved;
	__u8 signature[GUARD_MAX_SIGNATURE];
	__u8 insns[MAX_SIGNED_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COPIES);
	__type(key, __u32);
	__type(value, struct signed_copy);
} guard_copies SEC(".maps");

/* Digests of instructions that were verified for a task. */
struct signed_programs {
	/* task->self_exec_id: another one after each exec, and then nothing here counts. */
	__u64 exec_id;
	/* Number of digests so far; the last GUARD_SIGNED_PROGRAMS are here. */
	__u32 count;
	__u32 reserved;
	__u8 digests[GUARD_SIGNED_PROGRAMS][32];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct signed_programs);
} guard_signed SEC(".maps");

/* Has the task keep a digest. Returns 0, or an errno. */
static __always_inline int keep_digest(const struct scan *scan)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct signed_programs *kept = bpf_task_storage_get(&guard_signed, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u64 exec_id;

	if (!kept || READ(exec_id, task, self_exec_id))
		return -ENOMEM;
	if (kept->exec_id != exec_id)
		kept->count = 0;
	kept->exec_id = exec_id;
	__builtin_memcpy(kept->digests[kept->count % GUARD_SIGNED_PROGRAMS], scan->program.h, 32);
	kept->count++;
	return 0;
}

/* Whether instructions with the digest of a scan were verified for the current task since its last exec. */
static __always_inline bool was_signed(const __u8 *digest)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct signed_programs *kept = bpf_task_storage_get(&guard_signed, task, NULL, 0);
	const __u32 *words = (const __u32 *)digest;
	__u64 exec_id;

	if (!kept || READ(exec_id, task, self_exec_id) || kept->exec_id != exec_id)
		return false;
	for (__u32 at = 0; at < GUARD_SIGNED_PROGRAMS; at++)
		if (at < kept->count && same_digest(kept->digests[at], words))
			return true;
	return false;
}

/* Since Linux 6.18: a signature over the instructions, which the kernel verifies before the hook. */
union bpf_attr___signature {
	struct {
		__u64 signature;
		__u32 signature_size;
		__s32 keyring_id;
	};
} __attribute__((preserve_access_index));

/*
 * Whether bpf_attr has a signature by the keyring of signers. The kernel rejects the load if that does not verify. It
 * is over the instructions with their fds: it counts only if they have none, so that nothing differs from what a signer
 * of instructions without fds signs. Its digest may be SHA-1: the kernel's copy of it is gone, and the task can change
 * its own.
 */
static __always_inline bool is_signed_in_attr(const union bpf_attr *attr, const struct scan *scan)
{
	const union bpf_attr___signature *newer = (const void *)attr;
	__u64 signature = 0;
	__s32 ring = 0;

	if (!bpf_core_field_exists(newer->keyring_id) || scan->flags & SCAN_FDS)
		return false;
	if (bpf_core_read(&signature, sizeof(signature), &newer->signature) ||
	    bpf_core_read(&ring, sizeof(ring), &newer->keyring_id))
		return false;
	return signature && guard_program_ring && ring == guard_program_ring;
}

/* `scan` has the program's instructions and its key. */
static __always_inline bool is_signed(const union bpf_attr *attr, const struct scan *scan)
{
	return was_signed(scan->key.digest) || is_signed_in_attr(attr, scan);
}

static __always_inline int verify_copy(struct signed_copy *copy, __u32 size, __u32 signature_size)
{
	struct bpf_dynptr data, signature;

	if (bpf_dynptr_from_mem(copy->insns, size, 0, &data) ||
	    bpf_dynptr_from_mem(copy->signature, signature_size, 0, &signature))
		return -EINVAL;
	return verify_by_keyring(guard_program_ring, &data, &signature);
}

/* Has scan.program.h be the SHA-256 of `size` bytes at an address of the kernel. */
static __always_inline long hash_bytes(struct scan *scan, __u64 address, __u32 size)
{
	struct scan_context context = { .scan = scan };
	__u32 blocks = size / 64;

	scan->insns = address;
	sha256_begin(&scan->program);
	if (bpf_loop(blocks, hash_block_of_insns, &context, 0) != blocks || context.error)
		return -1;
	sha256_clear_block(&scan->program);
	if (bpf_probe_read_kernel(scan->program.bytes, size & 63, (void *)(address + 64ULL * blocks)))
		return -1;
	sha256_finish(&scan->program, size);
	return 0;
}

static __always_inline int bring_into(struct signed_copy *copy, const struct guard_signature *brought)
{
	__u32 size = 8 * brought->insn_cnt, signature_size = brought->signature_size;
	struct scan *scan = scan_of_task();
	int error;

	if (!scan)
		return -ENOMEM;
	if (!size || !signature_size)
		return -EBADMSG;
	/* two comparisons, of which the compiler would make one that the verifier does not understand */
	barrier_var(size);
	barrier_var(signature_size);
	if (size > MAX_SIGNED_BYTES || signature_size > GUARD_MAX_SIGNATURE)
		return -E2BIG;
	if (bpf_copy_from_user(copy->insns, size, (void *)brought->insns) ||
	    bpf_copy_from_user(copy->signature, signature_size, (void *)brought->signature))
		return -EFAULT;
	error = deny_weak_digest((__u64)copy->signature, signature_size);
	if (!error)
		error = verify_copy(copy, size, signature_size);
	if (error)
		return error;
	return hash_bytes(scan, (__u64)copy->insns, size) ? -EFAULT : keep_digest(scan);
}

static __always_inline int bring_signature(const union bpf_attr *attr)
{
	struct guard_signature brought;
	struct signed_copy *copy = NULL;
	int result;

	if (!may_load_programs())
		return -EPERM;
	if (!guard_program_ring)
		return -ENOKEY;
	if (!has_signature_kfuncs())
		return -ENOSYS;
	if (bpf_probe_read_kernel(&brought, sizeof(brought), attr) || brought.insn_cnt > GUARD_MAX_SIGNED_INSNS)
		return -E2BIG;
	for (__u32 at = 0; at < COPIES; at++) {
		__u32 key = at;

		copy = bpf_map_lookup_elem(&guard_copies, &key);
		if (!copy)
			return -ENOMEM;
		if (!__sync_val_compare_and_swap(&copy->busy, 0, 1))
			goto found;
	}
	return -EBUSY;
found:
	result = bring_into(copy, &brought);
	__sync_lock_test_and_set(&copy->busy, 0);
	return result;
}

/*
 * Answers GUARD_COMMAND_SIGNATURE: -EALREADY if the signature verifies; the kernel's errno if it does not. The program
 * on the root cgroup lets this command pass, whichever of the two the kernel asks first.
 */
SEC("lsm.s/bpf")
int BPF_PROG(guard_signature, int command, union bpf_attr *attr)
{
	struct guard_status *status = status_of_guard();
	struct event_detail detail = { .hook = GUARD_AT_BPF, .detail = { command } };
	int result;

	if (!status)
		return -EPERM;
	if (command != GUARD_COMMAND_SIGNATURE)
		return 0;
	result = bring_signature(attr);
	if (!result)
		return -EALREADY;
	verdict(status, GUARD_SIGNATURE, &detail);
	/* the kernel's range of errnos, which the verifier wants to see */
	return result < 0 && result > -4095 ? result : -EPERM;
}
