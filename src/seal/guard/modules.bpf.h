/*
 * Kernel modules, by the SHA-256 of the buffer from which the kernel takes them: nothing can change it after the hook.
 * It is the file's contents, which the kernel may yet have to decompress.
 */
#pragma once

#include "agent.bpf.h"
#include "file-digests.bpf.h"
#include "scan.bpf.h"
#include "status.bpf.h"

/* bpf_loop() makes at most 8 Mi steps, each of a block of 64 bytes. */
#define MAX_MODULE_SIZE (512ULL << 20)

/* Names only: the numbers differ between kernels, and are relocated. */
enum kernel_load_data_id {
	LOADING_MODULE = 2,
};

static __always_inline bool is_module_file(__u32 id)
{
	/* since Linux 7.0, a module that the kernel decompresses is read under another name */
	if (bpf_core_enum_value_exists(enum kernel_read_file_id, READING_MODULE_COMPRESSED) &&
	    id == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE_COMPRESSED))
		return true;
	return id == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE);
}

struct buffer_context {
	struct sha256 *sha;
	__u64 bytes;
	long error;
};

static long hash_buffer_block(__u32 index, struct buffer_context *context)
{
	context->error = bpf_probe_read_kernel(context->sha->bytes, 64, (void *)(context->bytes + 64ULL * index));
	if (context->error)
		return 1;
	sha256_compress(context->sha);
	return 0;
}

/* SHA-256 of memory of the kernel, at most MAX_MODULE_SIZE bytes. Returns 0, or below 0. */
static __always_inline long hash_buffer(struct sha256 *sha, __u64 bytes, __u64 size)
{
	struct buffer_context context = { .sha = sha, .bytes = bytes };
	__u32 blocks = size / 64, rest = size & 63;
	long done;

	sha256_begin(sha);
	done = bpf_loop(blocks, hash_buffer_block, &context, 0);
	if (done != blocks || context.error)
		return -1;
	sha256_clear_block(sha);
	if (bpf_probe_read_kernel(sha->bytes, rest, (void *)(bytes + 64ULL * blocks)))
		return -1;
	sha256_finish(sha, size);
	return 0;
}

/*
 * Whether a module may be loaded by its digest, or because the agent makes the call, which counts until `seal lock` as
 * tickets do. What the kernel starts to load a module for a call of the agent (modprobe, by request_module()) is another
 * process.
 */
static __always_inline bool may_load_module(const struct guard_status *status, const __u32 *digest)
{
	if (is_listed_file(GUARD_RULE_MODULES, guard_module_count, digest))
		return true;
	return has_file_rule(GUARD_RULE_MODULES_BY_TICKET) && !(status->state & GUARD_LOCKED) && is_agent();
}

/* The verdict at a hook on a module of `size` bytes. `what` is the kernel's number for how it is read. */
static __always_inline int judge_module(struct guard_status *status, enum guard_hook hook, __u64 bytes, __s64 size,
					__u32 what)
{
	struct event_detail detail = { .hook = hook, .detail = { size, what } };
	struct scan *scan;

	if (!has_file_rule(GUARD_RULE_MODULES))
		return ALLOW;
	if (size < 0 || size > (__s64)MAX_MODULE_SIZE)
		return verdict(status, GUARD_MODULE, &detail);
	scan = scan_of_task();
	if (!scan || hash_buffer(&scan->program, bytes, size) < 0)
		return verdict(status, GUARD_FAILURE, &detail);
	detail.digest = (const __u8 *)scan->program.h;
	return verdict(status, may_load_module(status, scan->program.h) ? 0 : GUARD_MODULE, &detail);
}
