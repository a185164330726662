/*
 * Executables, by their fs-verity digest: the kernel checks with it what it reads of the file, so that the contents
 * cannot change afterwards. A file without fs-verity, on overlayfs or in memory, has none and is denied.
 */
#pragma once

#include "file-digests.bpf.h"
#include "kernel-files.h"
#include "kfuncs.bpf.h"
#include "scan.bpf.h"
#include "status.bpf.h"

/* FS_VERITY_HASH_ALG_SHA256 of linux/fsverity.h. */
#define VERITY_SHA256 1
#define PROT_EXEC 4

static __always_inline __u64 super_block_of(struct file *file)
{
	return (__u64)BPF_CORE_READ(file, f_inode, i_sb);
}

/*
 * At the latch: files of the initramfs have no fs-verity. The loader is one of them if it is the first process, and
 * until an executable of another file system starts, those of its file system are not compared. Returns false if that
 * file system cannot be read.
 */
static __always_inline bool begin_executables(struct guard_status *status)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 first = 0;
	__u64 *initramfs = bpf_map_lookup_elem(&guard_initramfs, &first);

	if (!initramfs)
		return false;
	if (status->state & GUARD_LATE) {
		__sync_fetch_and_or(&status->state, GUARD_ROOT_STARTED);
		return true;
	}
	*initramfs = super_block_of(BPF_CORE_READ(task, mm, exe_file));
	return *initramfs != 0;
}

static __always_inline bool is_of_initramfs(struct file *file)
{
	__u32 first = 0;
	__u64 *initramfs = bpf_map_lookup_elem(&guard_initramfs, &first);

	return initramfs && *initramfs && super_block_of(file) == *initramfs;
}

/* A function with a stack of its own: the verifier lets no helper write where a dynptr has been. */
static __noinline int measure(struct file *file, struct verity_digest *measured)
{
	struct bpf_dynptr memory;

	measured->algorithm = 0;
	if (bpf_dynptr_from_mem(measured, sizeof(*measured), 0, &memory))
		return -1;
	return bpf_get_fsverity_digest(file, &memory);
}

/* Measures the file. Whether its digest is listed; scan->measured then has it. */
static __always_inline bool is_listed_executable(struct scan *scan, struct file *file)
{
	struct verity_digest *measured = &scan->measured;

	if (measure(file, measured) < 0 || measured->algorithm != VERITY_SHA256)
		return false;
	return is_listed_file(GUARD_RULE_EXECUTABLES, guard_executable_count, measured->digest);
}

/*
 * A reason of enum guard_reason, or 0. From the first listed executable on that is not of the initramfs, nothing starts
 * that is not listed.
 */
static __always_inline __u32 judge_executable(struct guard_status *status, struct file *file, struct scan *scan)
{
	if (!scan)
		return GUARD_FAILURE;
	if (is_listed_executable(scan, file)) {
		if (!(status->state & GUARD_ROOT_STARTED) && !is_of_initramfs(file)) {
			__sync_fetch_and_or(&status->state, GUARD_ROOT_STARTED);
			publish(status);
		}
		return 0;
	}
	return !(status->state & GUARD_ROOT_STARTED) && is_of_initramfs(file) ? 0 : GUARD_EXECUTABLE;
}

/* The verdict of an lsm_cgroup program at a hook. */
static __always_inline int executable_verdict(struct guard_status *status, enum guard_hook hook, struct file *file)
{
	struct event_detail detail = { .hook = hook };
	struct scan *scan = scan_of_task();
	__u32 reason = judge_executable(status, file, scan);

	if (scan && scan->measured.algorithm == VERITY_SHA256)
		detail.digest = (const __u8 *)scan->measured.digest;
	return verdict(status, reason, &detail);
}
