/* The seal list: two tables, of which one is in force, so that a new list is switched on at once. */
#pragma once

#include "kernel.h"
#include "interface.h"
#include "status.bpf.h"

#define LIST_TABLE(name, element)                                                                                      \
	struct {                                                                                                       \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                                      \
		__uint(max_entries, 1);                                                                                \
		__type(key, __u32);                                                                                    \
		__type(value, element);                                                                                \
	} name SEC(".maps")

/* The loader creates them with as many elements as the list needs. */
LIST_TABLE(guard_list_a, struct list_entry);
LIST_TABLE(guard_list_b, struct list_entry);
LIST_TABLE(guard_records_a, union list_record);
LIST_TABLE(guard_records_b, union list_record);

static __always_inline const struct list_entry *list_entry_at(__u32 list, __u32 at)
{
	return list ? bpf_map_lookup_elem(&guard_list_b, &at) : bpf_map_lookup_elem(&guard_list_a, &at);
}

static __always_inline const union list_record *list_record_at(__u32 list, __u32 at)
{
	return list ? bpf_map_lookup_elem(&guard_records_b, &at) : bpf_map_lookup_elem(&guard_records_a, &at);
}

/* Bytes of an entry that are the key: all before `maps`. */
#define KEY_SIZE offsetof(struct list_entry, maps)

/* As memcmp(3) of the two keys. */
static __always_inline int compare_keys(const struct list_entry *a, const struct list_entry *b)
{
	const __u32 *left = (const __u32 *)a, *right = (const __u32 *)b;

	for (__u32 at = 0; at < KEY_SIZE / 4; at++) {
		__u32 one = __builtin_bswap32(left[at]), two = __builtin_bswap32(right[at]);

		if (one != two)
			return one < two ? -1 : 1;
	}
	return 0;
}

/* The list in force, read once: it can be replaced while a load is decided on. */
struct list_view {
	__u64 generation;
	__u32 list;
	__u32 entries;
};

/* list and list_entries are read and written at once: the tables before can have had more entries. */
_Static_assert(offsetof(struct guard_status, list) % 8 == 0, "not aligned");
_Static_assert(offsetof(struct guard_status, list_entries) == offsetof(struct guard_status, list) + 4, "not adjacent");
#define LIST_AND_ENTRIES(status) ((volatile __u64 *)&(status)->list)

static __always_inline struct list_view list_in_force(const volatile struct guard_status *status)
{
	/* the generation first: one that is too old is found by is_in_force() */
	struct list_view view = { .generation = status->generation };
	__u64 both = *LIST_AND_ENTRIES(status);

	view.list = (__u32)both;
	view.entries = both >> 32;
	return view;
}

static __always_inline void put_list(struct guard_status *status, __u32 list, __u32 entries)
{
	*LIST_AND_ENTRIES(status) = (__u64)entries << 32 | list;
}

static __always_inline bool is_in_force(const struct list_view *view, const volatile struct guard_status *status)
{
	return view->generation == status->generation;
}

struct list_search {
	const struct list_entry *key;
	__u32 list;
	/* The first entry that is not less than the key is in this range. */
	__u32 from;
	__u32 to;
	__u32 failed;
};

static long narrow(__u32 index, struct list_search *search)
{
	__u32 middle = search->from + (search->to - search->from) / 2;
	const struct list_entry *entry;

	if (search->from >= search->to)
		return 1;
	entry = list_entry_at(search->list, middle);
	if (!entry) {
		search->failed = 1;
		return 1;
	}
	if (compare_keys(entry, search->key) < 0)
		search->from = middle + 1;
	else
		search->to = middle;
	return 0;
}

/* The index of the first entry with the key, or -1 if there is none or the table cannot be read. */
static __always_inline long find_in_list(const struct list_view *view, const struct list_entry *key)
{
	struct list_search search = { .key = key, .list = view->list, .to = view->entries };
	const struct list_entry *found;

	if (bpf_loop(33, narrow, &search, 0) < 0 || search.failed || search.from < search.to)
		return -1;
	if (search.from >= view->entries)
		return -1;
	found = list_entry_at(view->list, search.from);
	return found && compare_keys(found, key) == 0 ? (long)search.from : -1;
}
