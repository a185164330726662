/*
 * Classes of programs that load without being listed, and the mask, which denies what is otherwise allowed. Both are
 * fixed when the machine is sealed.
 */
#pragma once

#include "attr.bpf.h"
#include "class-table.bpf.h"
#include "maps.bpf.h"
#include "scan.bpf.h"

/* What instructions can have that no class allows, whatever its row says. */
#define SCAN_BEYOND_CLASSES                                                                                            \
	(SCAN_KFUNC | SCAN_MODULE | SCAN_BTF_ID | SCAN_OTHER_HELPER | SCAN_TOO_MANY_MAPS)

static __always_inline bool has_bit(__u64 bits, __u32 number)
{
	return number < 64 && bits >> number & 1;
}

/* Whether all of a program's helpers are among those of a row. */
static __always_inline bool has_helpers_within(const struct scan *scan, const __u64 *helpers)
{
	__u64 beyond = 0;

	for (int word = 0; word < 4; word++)
		beyond |= scan->helpers[word] & ~helpers[word];
	return beyond == 0;
}

static __always_inline bool admits(const struct guard_class *row, const struct scan *scan, __u32 length)
{
	return row->prog_type != 0 && row->prog_type == scan->key.prog_type &&
	       has_bit(row->attach_types, scan->key.expected_attach_type) && length <= row->instructions &&
	       scan->map_count <= row->maps && has_helpers_within(scan, row->helpers);
}

/* What no row can say: flags, a target, a device, maps beside those of the instructions. */
static __always_inline bool is_plain(const struct scan *scan, struct bpf_prog *prog, const union bpf_attr *attr)
{
	return !(scan->flags & SCAN_BEYOND_CLASSES) && scan->key.prog_flags == 0 && scan->key.attach_btf_id == 0 &&
	       !prog->aux->attach_btf && !prog->aux->dst_prog && !ATTR(attr, prog_ifindex) && !attr_fd_array_cnt(attr);
}

/*
 * The number of the first row that admits a scanned program, from 1; 0 if none does. Only then is anything read, so
 * that a read that fails takes away no permission but that of a class.
 */
static __always_inline __u32 admitting_class(const struct scan *scan, struct bpf_prog *prog,
					     const union bpf_attr *attr)
{
	const struct guard_classes *classes = classes_of_guard();
	__u32 row = 0;

	if (!classes)
		return 0;
	while (row < GUARD_CLASS_ROWS && !admits(&classes->admit[row], scan, prog->len))
		row++;
	return row < GUARD_CLASS_ROWS && is_plain(scan, prog, attr) ? row + 1 : 0;
}

static __always_inline bool is_masked(const struct scan *scan)
{
	const struct guard_classes *classes = classes_of_guard();
	__u64 masked = 0;

	if (!classes)
		return true;
	for (int word = 0; word < 4; word++)
		masked |= scan->helpers[word] & classes->mask.helpers[word];
	return masked != 0 || has_bit(classes->mask.types, scan->key.prog_type);
}

/*
 * Step 1, after list and ticket: `reason` is what they say. A class admits what is not listed, and in step 2 what is
 * listed with other maps; the mask then denies what was allowed. Sets the class of the admission.
 */
static __always_inline __u32 decide_class(__u32 reason, const struct scan *scan, struct bpf_prog *prog,
					  const union bpf_attr *attr, struct admission *admission)
{
	if (reason == 0 || reason == GUARD_UNLISTED || reason == GUARD_MAPS || reason == GUARD_TICKET) {
		admission->class_row = admitting_class(scan, prog, attr);
		if (admission->class_row != 0)
			reason = 0;
	}
	return reason == 0 && is_masked(scan) ? GUARD_MASK : reason;
}

struct class_maps {
	const struct scan *scan;
	__u64 types;
	__u32 matches;
};

static long compare_map_type(__u32 number, struct class_maps *context)
{
	const struct bpf_map *map;
	__u32 type;

	context->matches = 0;
	if (number >= GUARD_MAX_MAPS)
		return 1;
	map = (const struct bpf_map *)context->scan->maps[number];
	context->matches = !READ(type, map, map_type) && has_bit(context->types, type);
	return !context->matches;
}

/* Step 2 of a program that a class admitted. Returns a reason of enum guard_reason, or 0. */
static __always_inline __u32 decide_maps_of_class(struct bpf_prog *prog, struct scan *scan,
						  const struct admission *admission)
{
	const struct guard_classes *classes = classes_of_guard();
	__u32 row = admission->class_row - 1;
	struct class_maps context = { .scan = scan, .matches = 1 };

	if (!classes || row >= GUARD_CLASS_ROWS || collect_maps(scan, prog) < 0)
		return GUARD_MAPS;
	if (scan->map_count > classes->admit[row].maps)
		return GUARD_MAPS;
	context.types = classes->admit[row].map_types;
	if (bpf_loop(scan->map_count, compare_map_type, &context, 0) < 0 || !context.matches)
		return GUARD_MAPS;
	return 0;
}
