/* Which maps and programs are the guard's own: maps by their addresses, programs by the ids that the loader wrote. */
#pragma once

#include "admission.bpf.h"
#include "agent.bpf.h"
#include "class-table.bpf.h"
#include "file-digests.bpf.h"
#include "mount-of-pins.bpf.h"
#include "list.bpf.h"
#include "new-list-map.bpf.h"
#include "scan.bpf.h"
#include "signatures.bpf.h"
#include "status.bpf.h"
#include "tickets.bpf.h"

/* Ids of the guard's programs, which the loader writes before it attaches one of them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_programs);
} guard_programs SEC(".maps");

static __always_inline bool is_status_map(const struct bpf_map *map)
{
	__u64 address = (__u64)map;

	return address == (__u64)&guard_status || address == (__u64)&guard_events;
}

/*
 * Whether a map is the one with the guard's constants, which an instruction names by an address in its value. It is
 * frozen and closed for programs, so that an fd of it could only read.
 */
static __always_inline bool is_map_of_constants(const struct bpf_map *map)
{
	__u64 pointers[2] = { (__u64)map, (__u64)&guard_open }, addresses[2] = {};
	__u32 size;

	/* copied, since the verifier subtracts no pointers */
	if (READ(size, map, value_size) || bpf_probe_read_kernel(addresses, sizeof(addresses), pointers))
		return true;
	return addresses[1] - addresses[0] - bpf_core_field_offset(struct bpf_array, value) < size;
}

static __always_inline bool is_own_map(const struct bpf_map *map)
{
	__u64 address = (__u64)map;

	return is_status_map(map) || is_file_digest_map(address) || address == (__u64)&guard_admitted ||
	       address == (__u64)&guard_scans || address == (__u64)&guard_agent || address == (__u64)&guard_state ||
	       address == (__u64)&guard_tickets || address == (__u64)&guard_places ||
	       address == (__u64)&guard_pins || address == (__u64)&guard_list_a || address == (__u64)&guard_list_b ||
	       address == (__u64)&guard_new_list || address == (__u64)&guard_records_a ||
	       address == (__u64)&guard_records_b || address == (__u64)&guard_copies ||
	       address == (__u64)&guard_signed || address == (__u64)&guard_classes ||
	       address == (__u64)&guard_programs || is_map_of_constants(map);
}

/* The program's map by its number, or NULL if it cannot be read. */
static __always_inline struct bpf_map *used_map(struct bpf_prog *prog, __u32 number)
{
	struct bpf_prog_aux *aux;
	struct bpf_map **used, *map;

	if (READ(aux, prog, aux) || READ(used, aux, used_maps))
		return NULL;
	if (bpf_probe_read_kernel(&map, sizeof(map), used + number))
		return NULL;
	return map;
}

struct own_search {
	struct bpf_prog *prog;
	bool found;
};

static long find_own_map(__u32 number, struct own_search *search)
{
	struct bpf_map *map = used_map(search->prog, number);

	search->found = !map || is_own_map(map);
	return search->found;
}

/*
 * Whether a program uses a map of the guard. A new one must not: an fd of guard_status that is only for reading does not
 * keep a program from writing. It says nothing about a program that has an fd: BPF_PROG_BIND_MAP gives it any map. True
 * also if its maps cannot be read.
 */
static __always_inline bool uses_own_map(struct bpf_prog *prog)
{
	struct own_search search = { .prog = prog };
	struct bpf_prog_aux *aux;
	__u32 count;

	if (READ(aux, prog, aux) || READ(count, aux, used_map_cnt))
		return true;
	return bpf_loop(count, find_own_map, &search, 0) < 0 || search.found;
}

/*
 * Whether a program is one of the guard's. True also if its id cannot be read. An id is given to another program only
 * after 2^31 loads, if the program is gone (idr_alloc_cyclic() in bpf_prog_alloc_id() of kernel/bpf/syscall.c).
 */
static __always_inline bool is_own_program(struct bpf_prog *prog)
{
	__u32 first = 0, id, found = 0;
	const struct guard_programs *own = bpf_map_lookup_elem(&guard_programs, &first);
	struct bpf_prog_aux *aux;

	/* prog can be of a link, which the verifier does not know */
	if (!own || READ(aux, prog, aux) || READ(id, aux, id))
		return true;
	for (int at = 0; at < GUARD_MAX_PROGRAMS; at++)
		found |= id == own->ids[at];
	return id && found;
}
