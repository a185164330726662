/* Programs that step 1 admitted, for step 2. */
#pragma once

#include "list.bpf.h"

/*
 * What step 1 found, by the address of prog->aux: that of the program changes in the verifier. A later load at the same
 * address overwrites or deletes it in step 1, which every program with an fd passes. What was evicted is denied.
 */
struct admission {
	struct list_view view;
	__u32 first;
	/* Bits: the entries from `first` on whose references the program has. */
	__u32 alternatives;
	/* 1: the fds that the instructions name could have been changed during the load. */
	__u32 unstable;
	/* 1: step 2 allowed it. */
	__u32 allowed;
	__u8 digest[32];
};

/* Tests have fewer. */
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
 * Copies what is remembered under a key. The map gives an element to another key while a program reads it, so the copy
 * counts only if the key has the same element afterwards: step 2 never adds a key that is gone. Returns false if the
 * key is not there.
 */
static __always_inline bool recall(struct admission *copy, __u64 key)
{
	const struct admission *found = bpf_map_lookup_elem(&guard_admitted, &key), *again;

	/* another thread that gets an fd of the same program moves it to another element, once */
	for (int attempt = 0; attempt < 4 && found; attempt++) {
		*copy = *(const volatile struct admission *)found;
		again = bpf_map_lookup_elem(&guard_admitted, &key);
		if (again == found)
			return true;
		found = again;
	}
	return false;
}
