/* Programs that step 1 admitted, for step 2. */
#pragma once

#include "copy.bpf.h"
#include "list.bpf.h"

/*
 * What step 1 found. The key is the address of prog->aux, because the address of the program itself changes in the
 * verifier. A later program at the same address has passed step 1 before it gets an fd, and step 1 has overwritten or
 * deleted the element of the earlier one. The map evicts elements that were not looked up for the longest time: step 2
 * then denies further fds of their programs.
 */
struct admission {
	__u8 digest[32];
	/* By the list. */
	struct list_view view;
	/* Index of the first entry with the program's key. */
	__u32 first;
	/* Bit n: entry `first` + n has the program's references to maps. */
	__u32 alternatives;
	/* By a ticket: its digest of maps, and the references that step 1 found. */
	__u8 ticket_maps[32];
	struct list_references references;
	/* 1: by a ticket. */
	__u32 by_ticket;
	/* 1: the fds that the instructions name could have been changed during the load. */
	__u32 unstable;
	/* 1: step 2 allowed it. */
	__u32 allowed;
	/* The row of guard_classes that admits it, from 1, or 0; the list can have it as well. */
	__u32 class_row;
};

static __always_inline void begin_admission(struct admission *admission)
{
	__builtin_memset(admission, 0, sizeof(*admission));
}

/* How many programs are remembered; tests are built with fewer. */
#ifndef GUARD_ADMISSIONS
#define GUARD_ADMISSIONS 16384
#endif

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GUARD_ADMISSIONS);
	__type(key, __u64);
	__type(value, struct admission);
} guard_admitted SEC(".maps");

/*
 * Copies the element of a key. Returns false if the key is not there. The map can give the element to another key while
 * this program reads it, so the copy is used only if the key still has the same element afterwards. That suffices
 * because step 2 never adds a key that was evicted.
 */
static __always_inline bool recall(struct admission *copy, __u64 key)
{
	const struct admission *found = bpf_map_lookup_elem(&guard_admitted, &key), *again;

	/* another thread in step 2 for the same program updates it, which moves the key to another element, once */
	for (int attempt = 0; attempt < 4 && found; attempt++) {
		copy_words(copy, found, sizeof(*copy));
		again = bpf_map_lookup_elem(&guard_admitted, &key);
		if (again == found)
			return true;
		found = again;
	}
	return false;
}
