/* Compares the maps that a loaded program uses with the records of its entry. */
#pragma once

#include "list.bpf.h"
#include "own.bpf.h"
#include "scan.bpf.h"

/* What the kernel knows of a map. */
struct map_facts {
	__u64 map_extra;
	__u32 map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u32 map_flags;
	bool frozen;
};

/* Returns false if it cannot be read. */
static __always_inline bool read_map(struct map_facts *facts, const struct bpf_map *map)
{
	return !(READ(facts->map_extra, map, map_extra) | READ(facts->map_type, map, map_type) |
		 READ(facts->key_size, map, key_size) | READ(facts->value_size, map, value_size) |
		 READ(facts->max_entries, map, max_entries) | READ(facts->map_flags, map, map_flags) |
		 READ(facts->frozen, map, frozen));
}

/* Only an array of one element has a value that instructions name by its address, as far as the guard knows. */
static __always_inline bool has_one_value(const struct map_facts *facts)
{
	return facts->map_type == BPF_MAP_TYPE_ARRAY && facts->max_entries == 1;
}

/* The verifier takes such contents for constants. */
static __always_inline bool has_fixed_contents(const struct map_facts *facts)
{
	return has_one_value(facts) && facts->frozen && facts->map_flags & BPF_F_RDONLY_PROG;
}

static __always_inline __u64 value_of_array(const struct bpf_map *map)
{
	return (__u64)map + bpf_core_field_offset(struct bpf_array, value);
}

struct collection {
	struct scan *scan;
	struct bpf_prog *prog;
	bool failed;
};

static long collect_map(__u32 number, struct collection *collection)
{
	struct bpf_map *map = used_map(collection->prog, number);
	struct scan *scan = collection->scan;
	struct map_facts facts = {};

	collection->failed = !map || number >= GUARD_MAX_MAPS || !read_map(&facts, map);
	if (collection->failed)
		return 1;
	/* the verifier has forgotten the upper bound */
	number &= GUARD_MAX_MAPS - 1;
	scan->maps[number] = (__u64)map;
	scan->values[number] = value_of_array(map);
	scan->value_sizes[number] = has_one_value(&facts) ? facts.value_size : 0;
	return 0;
}

/*
 * Puts the addresses of the maps that the program uses into the scan: the kernel numbers them in the order of their
 * first references. Returns -1 if there are too many, or they cannot be read.
 */
static __always_inline long collect_maps(struct scan *scan, struct bpf_prog *prog)
{
	struct collection collection = { .scan = scan, .prog = prog };

	if (READ(scan->map_count, prog->aux, used_map_cnt) || scan->map_count > GUARD_MAX_MAPS)
		return -1;
	if (bpf_loop(scan->map_count, collect_map, &collection, 0) < 0)
		return -1;
	return collection.failed ? -1 : 0;
}

/* Adds the reference of an ld_imm64 that the verifier has resolved, if its value is that of a map. */
__noinline int add_resolved_reference(struct scan *scan, __u64 value)
{
	__u32 number;

	if (!scan)
		return 0;
	for (number = 0; number < GUARD_MAX_MAPS; number++) {
		if (number >= scan->map_count)
			return 0;
		if (value == scan->maps[number] || value - scan->values[number] < scan->value_sizes[number])
			break;
	}
	if (number < GUARD_MAX_MAPS)
		add_to_references(scan, number, value == scan->maps[number] ? 0 : value - scan->values[number]);
	return 0;
}

static long scan_resolved(__u32 index, struct scan_context *context)
{
	struct scan *scan = context->scan;
	struct bpf_insn insn;

	context->error = bpf_probe_read_kernel(&insn, sizeof(insn), (void *)(scan->insns + 8ULL * index));
	if (context->error)
		return 1;
	if (scan->wide)
		add_resolved_reference(scan, scan->first | (__u64)(__u32)insn.imm << 32);
	scan->first = insn.imm;
	scan->wide = !scan->wide && insn.code == (BPF_LD | BPF_IMM | BPF_DW);
	return 0;
}

/*
 * Has scan.references be the digest of the references to maps in the instructions as the verifier left them. It is that
 * of the entry if every fd named the map that step 1 expected, and no reference was in code that the verifier removed.
 */
static __always_inline long scan_references(struct scan *scan, struct bpf_prog *prog)
{
	struct scan_context context = { .scan = scan };
	__u32 count = prog->len;

	begin_references(scan);
	scan->insns = (__u64)prog->insnsi;
	scan->wide = 0;
	if (bpf_loop(count, scan_resolved, &context, 0) != count || context.error)
		return -1;
	finish_references(scan);
	return 0;
}

/* Which bytes of the 64-byte block at offset `at` are in a range: bit n is for byte n. */
static __always_inline __u64 bytes_in_range(__u64 at, __u64 from, __u64 size)
{
	__u64 begin = from > at ? from - at : 0, end = from + size;

	if (begin >= 64 || end <= at)
		return 0;
	end -= at;
	return ~0ULL << begin & (end >= 64 ? ~0ULL : (1ULL << end) - 1);
}

/* Zeroes the bytes of settings in the 64-byte block of contents that begins at offset `at`. */
__noinline int clear_settings(struct sha256 *block, const struct list_map *stated, __u32 at)
{
	__u64 cleared = 0;

	if (!block || !stated)
		return 0;
	for (int range = 0; range < 16; range++)
		cleared |= bytes_in_range(at, stated->settings[range].offset, stated->settings[range].size);
	if (!cleared)
		return 0;
	for (int byte = 0; byte < 64; byte++)
		block->bytes[byte] &= (cleared >> byte & 1) - 1;
	return 0;
}

struct contents_context {
	struct scan *scan;
	const struct list_map *stated;
	__u64 value;
	long error;
};

static long hash_block(__u32 index, struct contents_context *context)
{
	struct sha256 *sha = &context->scan->program;

	context->error = bpf_probe_read_kernel(sha->bytes, 64, (void *)(context->value + 64ULL * index));
	if (context->error)
		return 1;
	clear_settings(sha, context->stated, 64 * index);
	sha256_compress(sha);
	return 0;
}

/*
 * Has scan.program.h be the SHA-256 of the value of an array of one element, with the settings of `stated` zeroed; NULL
 * has none. Returns false if it cannot be read.
 */
static __always_inline bool hash_contents(struct scan *scan, __u64 value, __u32 size, const struct list_map *stated)
{
	struct contents_context context = { .scan = scan, .stated = stated, .value = value };
	struct sha256 *sha = &scan->program;
	__u32 blocks = size / 64;

	sha256_begin(sha);
	if (bpf_loop(blocks, hash_block, &context, 0) != blocks || context.error)
		return false;
	sha256_clear_block(sha);
	if (bpf_probe_read_kernel(sha->bytes, size & 63, (void *)(value + 64ULL * blocks)))
		return false;
	clear_settings(sha, stated, 64 * blocks);
	sha256_finish(sha, size);
	return true;
}

static __always_inline bool is_as_defined(__u32 stated, __u32 found)
{
	return stated == 0 || stated == found;
}

static __always_inline bool has_inner_map(const struct bpf_map *map, const struct list_map *stated)
{
	struct map_facts facts = {};
	struct bpf_map *inner;

	/* not of a map of maps, or of one whose loader chooses the inner maps */
	if (stated->inner_map_type == 0)
		return true;
	if (READ(inner, map, inner_map_meta) || !inner)
		return false;
	return read_map(&facts, inner) && facts.map_type == stated->inner_map_type &&
	       is_as_defined(stated->inner_key_size, facts.key_size) &&
	       is_as_defined(stated->inner_value_size, facts.value_size) &&
	       is_as_defined(stated->inner_max_entries, facts.max_entries) && facts.map_flags == stated->inner_map_flags;
}

static __always_inline bool is_as_stated(const struct map_facts *facts, const struct list_map *stated)
{
	return facts->map_type == stated->map_type && facts->map_flags == stated->map_flags &&
	       facts->map_extra == stated->map_extra && is_as_defined(stated->key_size, facts->key_size) &&
	       is_as_defined(stated->value_size, facts->value_size) &&
	       is_as_defined(stated->max_entries, facts->max_entries);
}

__noinline int is_stated_map(struct scan *scan, const struct list_map *stated, __u32 number)
{
	struct map_facts facts = {};
	const struct bpf_map *map;

	if (!scan || !stated || number >= GUARD_MAX_MAPS)
		return 0;
	map = (const struct bpf_map *)scan->maps[number];
	if (!read_map(&facts, map) || !is_as_stated(&facts, stated) || !has_inner_map(map, stated))
		return 0;
	if (!stated->frozen)
		return 1;
	return has_fixed_contents(&facts) && hash_contents(scan, value_of_array(map), facts.value_size, stated) &&
	       same_digest(stated->contents, scan->program.h);
}

struct maps_context {
	struct scan *scan;
	__u32 list;
	/* Record of the first map. */
	__u32 first;
	__u32 matches;
};

static long compare_map(__u32 number, struct maps_context *context)
{
	const union list_record *record = list_record_at(context->list, context->first + number);

	context->matches = record && is_stated_map(context->scan, &record->map, number) == 1;
	return !context->matches;
}

/*
 * Whether the collected maps are those of the records from `at` on. `unstable`: their references were scanned again,
 * and are compared, too. A program with one map needs no such scan: all its references can only be to that map.
 */
__noinline int has_maps_of_entry(struct scan *scan, __u32 list, __u32 at, __u32 unstable)
{
	struct maps_context context = { .scan = scan, .list = list, .first = at + 1, .matches = 1 };
	const union list_record *record = list_record_at(list, at);
	const struct list_references *stated;

	if (!record || !scan)
		return 0;
	stated = &record->references;
	if (stated->maps != scan->map_count)
		return 0;
	if (unstable && stated->maps > 1 &&
	    (stated->references != scan->reference_count || !same_digest(stated->digest, scan->references.h)))
		return 0;
	return bpf_loop(stated->maps, compare_map, &context, 0) >= 0 && context.matches;
}
