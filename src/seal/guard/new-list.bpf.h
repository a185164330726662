/*
 * Replaces the list in force. The new one is copied from the caller's memory into the tables that are not in force,
 * which no fd reaches, and is judged there; then one write switches to it.
 *
 * This needs a program that can sleep, which hangs on a link. Without the link no list can be replaced; what decides
 * loads does not depend on it.
 */
#pragma once

#include "commands.bpf.h"
#include "digest.bpf.h"
#include "kernel-keys.bpf.h"
#include "list.bpf.h"
#include "new-list-map.bpf.h"
#include "rings.bpf.h"
#include "scan.bpf.h"
#include "weak-digest.bpf.h"

#define MAX_ERRNO 4095

/* SHA-256 of the BTF of vmlinux; the loader sets it. */
const volatile __u8 guard_kernel_btf[32] = {};

static __always_inline void *spare_entry(__u32 table, __u32 at)
{
	return table ? bpf_map_lookup_elem(&guard_list_b, &at) : bpf_map_lookup_elem(&guard_list_a, &at);
}

static __always_inline void *spare_record(__u32 table, __u32 at)
{
	return table ? bpf_map_lookup_elem(&guard_records_b, &at) : bpf_map_lookup_elem(&guard_records_a, &at);
}

static __always_inline bool begins_as_list(const struct list_header *header)
{
	static const __u8 magic[sizeof(header->magic)] = GUARD_LIST_MAGIC;
	__u64 differences = 0;

	_Pragma("unroll") for (unsigned at = 0; at < sizeof(magic); at++) differences |= header->magic[at] ^ magic[at];
	return differences == 0 && header->version == GUARD_LIST_VERSION && header->guard_version == GUARD_VERSION;
}

/* Finds the tables' sizes and addresses. Returns -E2BIG if they have no room for the list. */
static __always_inline long find_room(struct new_list *new)
{
	const struct list_header *header = &new->header;
	void *entries = spare_entry(new->table, 0), *records = spare_record(new->table, 0);

	if (header->entries && !spare_entry(new->table, header->entries - 1))
		return -E2BIG;
	if (header->records && !spare_record(new->table, header->records - 1))
		return -E2BIG;
	new->entries = (__u64)entries;
	new->records = (__u64)records;
	new->entries_end = sizeof(*header) + (__u64)header->entries * sizeof(struct list_entry);
	new->records_end = new->entries_end + (__u64)header->records * sizeof(union list_record);
	new->size = new->records_end + sizeof(new->classes);
	return new->size == new->command.list_size ? 0 : -EBADMSG;
}

static __always_inline long judge_header(const struct guard_status *status, struct new_list *new)
{
	const struct list_header *header = &new->header;
	const __u32 *stated = (const __u32 *)header->kernel_btf;
	const volatile __u32 *kernel = (const volatile __u32 *)guard_kernel_btf;
	__u32 differences = 0;

	if (!begins_as_list(header))
		return -EBADMSG;
	for (int at = 0; at < 8; at++)
		differences |= stated[at] ^ kernel[at];
	if (differences)
		return -EXDEV;
	if (header->generation <= status->generation)
		return -ESTALE;
	/* the guard takes neither from a new list: a list that says something else must not look as if it were in force */
	if (!same_digest(header->files, (const __u32 *)status->files_digest) ||
	    !same_digest(header->classes, (const __u32 *)status->classes_digest))
		return -EDOM;
	return find_room(new);
}

/* Copies header and signature, and has the kernel verify them with the keyring that nobody can change. */
static __always_inline long verify_header(struct new_list *new)
{
	struct bpf_dynptr data, signature;
	__u32 size = new->command.signature_size;
	int error;

	if (size == 0)
		return -EBADMSG;
	/* one comparison of the two would be with another variable, and the verifier would not know the bound of this one */
	barrier_var(size);
	if (size > sizeof(new->signature))
		return -EBADMSG;
	if (bpf_copy_from_user(new->signature, size, (void *)new->command.signature))
		return -EFAULT;
	error = deny_weak_digest((__u64)new->signature, size);
	if (error)
		return error;
	if (bpf_dynptr_from_mem(&new->header, sizeof(new->header), 0, &data) |
	    bpf_dynptr_from_mem(new->signature, size, 0, &signature))
		return -EBADMSG;
	return verify_by_keyring(guard_list_ring, &data, &signature);
}

struct copying {
	__u64 from;
	__u32 table;
	long error;
};

static long copy_entry(__u32 at, struct copying *copying)
{
	void *to = spare_entry(copying->table, at);
	__u32 size = sizeof(struct list_entry);

	copying->error = to ? bpf_copy_from_user(to, size, (void *)(copying->from + (__u64)size * at)) : -E2BIG;
	return copying->error != 0;
}

static long copy_record(__u32 at, struct copying *copying)
{
	void *to = spare_record(copying->table, at);
	__u32 size = sizeof(union list_record);

	copying->error = to ? bpf_copy_from_user(to, size, (void *)(copying->from + (__u64)size * at)) : -E2BIG;
	return copying->error != 0;
}

static __always_inline long copy_tables(struct new_list *new)
{
	struct copying entries = { .from = new->command.list + sizeof(new->header), .table = new->table };
	struct copying records = { .from = new->command.list + new->entries_end, .table = new->table };
	__u32 count = new->header.entries;

	if (bpf_loop(count, copy_entry, &entries, 0) < 0 || entries.error)
		return -EFAULT;
	count = new->header.records;
	if (bpf_loop(count, copy_record, &records, 0) < 0 || records.error)
		return -EFAULT;
	/* they are compared with the header, whose digest of them is that in force */
	if (bpf_copy_from_user(&new->classes, sizeof(new->classes), (void *)(new->command.list + new->records_end)))
		return -EFAULT;
	return 0;
}

struct hashing {
	struct scan *scan;
	struct new_list *new;
	/* Where in the list the message begins and ends. */
	__u64 from;
	__u64 to;
	long error;
};

/* The address of the 8 bytes at an offset in the list, which is a multiple of 8 as all of its parts are. */
static __always_inline __u64 address_in_list(const struct new_list *new, __u64 offset)
{
	if (offset < sizeof(new->header))
		return new->header_address + offset;
	if (offset < new->entries_end)
		return new->entries + offset - sizeof(new->header);
	if (offset < new->records_end)
		return new->records + offset - new->entries_end;
	return new->classes_address + offset - new->records_end;
}

/* Reads what the list has of the block into memory that is zero. */
static long read_list_block(__u32 index, struct hashing *hashing)
{
	struct sha256 *sha = &hashing->scan->program;
	__u64 offset = hashing->from + 64ULL * index;

	for (int word = 0; word < 8; word++, offset += 8) {
		if (offset >= hashing->to)
			break;
		hashing->error = bpf_probe_read_kernel(sha->bytes + 8 * word, 8,
						       (void *)address_in_list(hashing->new, offset));
		if (hashing->error)
			break;
	}
	return hashing->error;
}

static long hash_list_block(__u32 index, struct hashing *hashing)
{
	if (read_list_block(index, hashing))
		return 1;
	sha256_compress(&hashing->scan->program);
	return 0;
}

/* Has scan.program.h be the SHA-256 of the list between two offsets. */
static __always_inline long hash_list(struct scan *scan, struct new_list *new, __u64 from, __u64 to)
{
	struct hashing hashing = { .scan = scan, .new = new, .from = from, .to = to };
	__u32 size = to - from, blocks = size / 64;

	sha256_begin(&scan->program);
	if (bpf_loop(blocks, hash_list_block, &hashing, 0) != blocks || hashing.error)
		return -EFAULT;
	sha256_clear_block(&scan->program);
	if (read_list_block(blocks, &hashing))
		return -EFAULT;
	sha256_finish(&scan->program, size);
	return 0;
}

/* Compares tables and classes with the header, and keeps the SHA-256 of the whole list. */
static __always_inline long judge_tables(struct new_list *new)
{
	struct scan *scan = scan_of_task();
	long error;

	if (!scan)
		return -EFAULT;
	error = hash_list(scan, new, sizeof(new->header), new->records_end);
	if (error)
		return error;
	if (!same_digest(new->header.tables, scan->program.h))
		return -EILSEQ;
	error = hash_list(scan, new, new->records_end, new->size);
	if (error)
		return error;
	if (!same_digest(new->header.classes, scan->program.h))
		return -EILSEQ;
	error = hash_list(scan, new, 0, new->size);
	if (!error)
		__builtin_memcpy(new->digest, scan->program.h, sizeof(new->digest));
	return error;
}

/* One write switches tables and number of entries together; then decisions by the list before end (is_in_force()). */
static __always_inline void switch_list(struct guard_status *status, const struct new_list *new)
{
	const struct list_header *header = &new->header;

	__builtin_memcpy(status->config_digest, header->configuration, sizeof(status->config_digest));
	__builtin_memcpy(status->list_digest, new->digest, sizeof(status->list_digest));
	put_list(status, new->table, header->entries);
	*(volatile __u64 *)&status->generation = header->generation;
	publish(status);
}

static __always_inline long receive_list(struct guard_status *status, struct new_list *new)
{
	long error;

	new->table = !status->list;
	new->header_address = (__u64)&new->header;
	new->classes_address = (__u64)&new->classes;
	if (bpf_copy_from_user(&new->header, sizeof(new->header), (void *)new->command.list))
		return -EFAULT;
	error = judge_header(status, new);
	if (!error)
		error = verify_header(new);
	if (!error)
		error = copy_tables(new);
	if (!error)
		error = judge_tables(new);
	if (error)
		return error;
	switch_list(status, new);
	return -EALREADY;
}

/* Only one task at a time has the spare tables. */
static __always_inline long replace_list(struct guard_status *status, const union bpf_attr *attr)
{
	__u32 first = 0;
	struct new_list *new = bpf_map_lookup_elem(&guard_new_list, &first);
	long result;

	if (!may_replace_list(status))
		return -EPERM;
	if (!guard_list_ring || !has_signature_kfuncs())
		return -EOPNOTSUPP;
	if (!new || !__sync_bool_compare_and_swap(&new->busy, 0, 1))
		return -EBUSY;
	result = bpf_probe_read_kernel(&new->command, sizeof(new->command), attr) ? -EFAULT : receive_list(status, new);
	__sync_lock_test_and_set(&new->busy, 0);
	return result < 0 && result >= -MAX_ERRNO ? result : -EBADMSG;
}

/* Runs only if no program before it denied the command. */
SEC("lsm.s/bpf")
int BPF_PROG(guard_replace, int command, union bpf_attr *attr)
{
	struct event_detail detail = { .hook = GUARD_AT_BPF, .detail = { command } };
	struct guard_status *status;
	long result;

	if (command != GUARD_COMMAND_LIST)
		return 0;
	status = status_of_guard();
	if (!status)
		return -EPERM;
	result = replace_list(status, attr);
	detail.detail[1] = -result;
	if (result != -EALREADY && result != -EPERM)
		verdict(status, GUARD_LIST, &detail);
	return result;
}
