/* Which maps and programs are the guard's own. */
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

static __always_inline bool is_status_map(const struct bpf_map *map)
{
	__u64 address = (__u64)map;

	return address == (__u64)&guard_status || address == (__u64)&guard_events;
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
	       address == (__u64)&guard_signed || address == (__u64)&guard_classes;
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
 * Whether a program uses a map of the guard: all of the guard's programs do. Nobody else's may: a fd of guard_status
 * that is only for reading does not keep a program from writing. True also if its maps cannot be read.
 */
static __always_inline bool is_own_program(struct bpf_prog *prog)
{
	struct own_search search = { .prog = prog };
	struct bpf_prog_aux *aux;
	__u32 count;

	/* prog can be of a link, which the verifier does not know */
	if (READ(aux, prog, aux) || READ(count, aux, used_map_cnt))
		return true;
	return bpf_loop(count, find_own_map, &search, 0) < 0 || search.found;
}
