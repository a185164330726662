/* The digest of a program's maps that a ticket has: struct guard_ticket says what it is over. */
#pragma once

#include "admission.bpf.h"
#include "maps.bpf.h"

/* Bytes of struct list_map that are in the digest: all before the settings. */
#define DESCRIPTION_SIZE offsetof(struct list_map, settings)
#define DESCRIPTION_BLOCKS 2

/* Describes a map as a list would, without open ranges. Returns false if it cannot be read. */
static __always_inline bool describe_inner_map(struct list_map *described, const struct bpf_map *map)
{
	struct map_facts facts = {};
	struct bpf_map *inner;

	if (READ(inner, map, inner_map_meta))
		return false;
	if (!inner)
		return true;
	if (!read_map(&facts, inner))
		return false;
	described->inner_map_type = facts.map_type;
	described->inner_key_size = facts.key_size;
	described->inner_value_size = facts.value_size;
	described->inner_max_entries = facts.max_entries;
	described->inner_map_flags = facts.map_flags;
	return true;
}

/* Adds the description of the collected map to scan.references. Returns 0 if it cannot be read. */
__noinline int add_description(struct scan *scan, __u32 number)
{
	struct list_map *described;
	struct map_facts facts = {};
	const struct bpf_map *map;

	if (!scan || number >= GUARD_MAX_MAPS)
		return 0;
	described = &scan->described.map;
	__builtin_memset(&scan->described, 0, sizeof(scan->described));
	map = (const struct bpf_map *)scan->maps[number];
	if (!read_map(&facts, map) || !describe_inner_map(described, map))
		return 0;
	described->map_extra = facts.map_extra;
	described->map_type = facts.map_type;
	described->key_size = facts.key_size;
	described->value_size = facts.value_size;
	described->max_entries = facts.max_entries;
	described->map_flags = facts.map_flags;
	if (has_fixed_contents(&facts)) {
		described->frozen = 1;
		if (!hash_contents(scan, value_of_array(map), facts.value_size, NULL))
			return 0;
		copy_digest(described->contents, scan->program.h);
	}
	for (int block = 0; block < DESCRIPTION_BLOCKS; block++) {
		copy_words(scan->references.bytes, scan->described.blocks[block], 64);
		sha256_compress(&scan->references);
	}
	return 1;
}

struct description_context {
	struct scan *scan;
	__u32 complete;
};

static long describe_map(__u32 number, struct description_context *context)
{
	int described = add_description(context->scan, number);

	/* the verifier does not know what a global function returns; the compiler does, and would omit the comparison */
	barrier_var(described);
	context->complete = described == 1;
	return described == 1 ? 0 : 1;
}

/*
 * Has scan.references.h be the digest of the collected maps, with these references to them. Returns false if a map
 * cannot be read.
 */
static __always_inline bool hash_maps(struct scan *scan, const struct list_references *references)
{
	struct description_context context = { .scan = scan, .complete = 1 };
	struct sha256 *sha = &scan->references;

	sha256_begin(sha);
	sha256_clear_block(sha);
	copy_words(sha->bytes, references, sizeof(*references));
	sha256_compress(sha);
	if (bpf_loop(references->maps, describe_map, &context, 0) < 0 || !context.complete)
		return false;
	sha256_clear_block(sha);
	sha256_finish(sha, 64 + 64 * DESCRIPTION_BLOCKS * references->maps);
	return true;
}

/* Whether the collected maps, and the references to them, are those of the ticket that admitted the program. */
static __always_inline bool has_maps_of_ticket(struct scan *scan)
{
	struct admission *admission = &scan->admission;
	struct list_references *references = &admission->references;

	if (references->maps != scan->map_count)
		return false;
	if (admission->unstable && scan->map_count > 1) {
		references->references = scan->reference_count;
		copy_digest(references->digest, scan->references.h);
	}
	if (scan->map_count == 0)
		__builtin_memset(scan->references.h, 0, sizeof(scan->references.h));
	else if (!hash_maps(scan, references))
		return false;
	return same_digest(admission->ticket_maps, scan->references.h);
}
