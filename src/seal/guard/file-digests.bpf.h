/* The lists of files: sorted digests of kernel modules and of executables, in maps that nobody can write. */
#pragma once

#include "digest.bpf.h"
#include "interface.h"

/* Bits of GUARD_RULE_…, and the number of digests of each list; the image sets them before the guard is loaded. */
const volatile __u32 guard_file_rules = 0;
const volatile __u32 guard_module_count = 0;
const volatile __u32 guard_executable_count = 0;

/*
 * Not frozen: the verifier of Linux 6.12 lets no program read an array of several elements that is frozen and read-only
 * for programs. Nobody gets an fd of a map of the guard.
 */
#define DIGEST_TABLE(name)                                                                                             \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                                      \
		__uint(map_flags, BPF_F_RDONLY_PROG);                                                                  \
		__uint(max_entries, 1);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, struct file_digest);                                                                     \
	} name SEC(".maps")

DIGEST_TABLE(guard_modules);
DIGEST_TABLE(guard_execs);

/* The super block of the initramfs; 0 if the guard was sealed late. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} guard_initramfs SEC(".maps");

/* Whether a map at this address is one of these. */
static __always_inline bool is_file_digest_map(__u64 address)
{
	return address == (__u64)&guard_modules || address == (__u64)&guard_execs ||
	       address == (__u64)&guard_initramfs;
}

static __always_inline bool has_file_rule(__u32 rule)
{
	return guard_file_rules & rule;
}

static __always_inline const struct file_digest *file_digest_at(__u32 rule, __u32 at)
{
	if (rule == GUARD_RULE_EXECUTABLES)
		return bpf_map_lookup_elem(&guard_execs, &at);
	return bpf_map_lookup_elem(&guard_modules, &at);
}

/* As memcmp(3). */
static __always_inline int compare_digests(const struct file_digest *one, const __u32 *other)
{
	const __u32 *words = (const __u32 *)one->bytes;

	for (int at = 0; at < 8; at++) {
		__u32 left = __builtin_bswap32(words[at]), right = __builtin_bswap32(other[at]);

		if (left != right)
			return left < right ? -1 : 1;
	}
	return 0;
}

struct digest_search {
	const __u32 *digest;
	__u32 rule;
	/* The first digest that is not less is in this range. */
	__u32 from;
	__u32 to;
	__u32 found;
};

static long narrow_digests(__u32 index, struct digest_search *search)
{
	__u32 middle = search->from + (search->to - search->from) / 2;
	const struct file_digest *digest;
	int order;

	if (search->from >= search->to)
		return 1;
	digest = file_digest_at(search->rule, middle);
	if (!digest)
		return 1;
	order = compare_digests(digest, search->digest);
	search->found = order == 0;
	if (order < 0)
		search->from = middle + 1;
	else
		search->to = middle;
	return search->found;
}

/* Whether the list of a rule, GUARD_RULE_…, with `count` digests has this one. */
static __always_inline bool is_listed_file(__u32 rule, __u32 count, const __u32 *digest)
{
	struct digest_search search = { .digest = digest, .rule = rule, .to = count };

	return bpf_loop(33, narrow_digests, &search, 0) >= 0 && search.found;
}
