/*
 * Decides loads of programs in two steps. At hook bpf_prog_load the instructions are final, but the kernel has not yet
 * looked up the maps that they name; at hook bpf_prog, when the first fd of the program is handed out, it has.
 */
#pragma once

#include "admission.bpf.h"
#include "attr.bpf.h"
#include "list.bpf.h"
#include "maps.bpf.h"
#include "never.bpf.h"
#include "own.bpf.h"
#include "scan.bpf.h"
#include "status.bpf.h"
#include "ticket-maps.bpf.h"
#include "tickets.bpf.h"

/*
 * Whether another task can change what an fd of the current task refers to, or the array of fds, which the kernel reads
 * after step 1. Below 0 if it is not known.
 */
static __always_inline int has_unstable_fds(const struct scan *scan)
{
	struct files_struct *files = bpf_get_current_task_btf()->files;
	int users;

	if (READ(users, files, count.counter))
		return -1;
	return scan->flags & SCAN_INDEXED || users != 1;
}

/*
 * Whether the entry has the key that was scanned and its references to maps. From `end` on the table has no entries of
 * the list: what is there can be of an earlier list.
 */
__noinline int is_matching_entry(struct scan *scan, __u32 list, __u32 at, __u32 end)
{
	const struct list_entry *entry = list_entry_at(list, at);
	const struct list_references *stated;
	const union list_record *record;

	if (at >= end || !scan || !entry || compare_keys(entry, &scan->key) != 0)
		return 0;
	record = list_record_at(list, entry->maps);
	if (!record)
		return 0;
	stated = &record->references;
	return stated->maps == scan->map_count && stated->references == scan->reference_count &&
	       same_digest(stated->digest, scan->references.h);
}

/* The alternatives of an entry whose references to maps are those that were scanned, as bits. */
static __always_inline __u32 matching_references(struct scan *scan, const struct list_view *view, __u32 first)
{
	__u32 found = 0;

	for (__u32 at = 0; at < GUARD_ALTERNATIVES; at++)
		if (is_matching_entry(scan, view->list, first + at, view->entries))
			found |= 1 << at;
	return found;
}

/* The BTF of a module has ids of its own, which an entry cannot tell from those of vmlinux. */
static __always_inline bool is_attached_to_module(const struct bpf_prog *prog)
{
	const struct btf *btf = prog->aux->attach_btf;
	struct btf *base;
	bool of_kernel;

	if (!btf)
		return false;
	return READ(base, btf, base_btf) || base || READ(of_kernel, btf, kernel_btf) || !of_kernel;
}

/* 1, 0, or all ones if it cannot be read. Linux 7.3 has the bit in a word of another size. */
static __always_inline __u32 is_gpl_compatible(const struct bpf_prog *prog)
{
	__u64 word = 0;

	if (__CORE_BITFIELD_PROBE_READ(&word, prog, gpl_compatible))
		return ~0;
	return word << __CORE_RELO(prog, gpl_compatible, LSHIFT_U64) >> __CORE_RELO(prog, gpl_compatible, RSHIFT_U64);
}

/* `type` and `attach_type` are those of attr. */
static __always_inline void fill_key(struct scan *scan, const struct bpf_prog *prog, const union bpf_attr *attr,
				     __u32 type, __u32 attach_type)
{
	struct list_entry *key = &scan->key;

	copy_digest(key->digest, scan->program.h);
	key->prog_type = type;
	key->expected_attach_type = attach_type;
	key->attach_btf_id = ATTR(attr, attach_btf_id);
	key->prog_flags = ATTR(attr, prog_flags);
	key->gpl_compatible = is_gpl_compatible(prog);
}

static __always_inline bool is_canary(const struct bpf_prog *prog, const struct list_entry *key)
{
	struct bpf_insn first;

	if (key->prog_type != BPF_PROG_TYPE_SOCKET_FILTER || prog->len != 2)
		return false;
	if (bpf_probe_read_kernel(&first, sizeof(first), &prog->insnsi[0]))
		return false;
	return first.code == (BPF_ALU64 | BPF_MOV | BPF_K) && first.imm == GUARD_CANARY_VALUE;
}

/* Whether an entry can say nothing of it: a module, another program, a device. */
static __always_inline bool is_beyond_lists(const struct bpf_prog *prog, const union bpf_attr *attr,
					    const struct scan *scan)
{
	return scan->flags & SCAN_MODULE || is_attached_to_module(prog) || prog->aux->dst_prog ||
	       ATTR(attr, prog_ifindex);
}

/* Step 1 by the list. Returns a reason of enum guard_reason, or 0 and the admission. */
static __always_inline __u32 decide_by_list(const struct guard_status *status, struct bpf_prog *prog,
					    const union bpf_attr *attr, struct scan *scan, struct admission *admission)
{
	struct list_view view = list_in_force(status);
	int unstable;
	long first;

	if (is_beyond_lists(prog, attr, scan))
		return GUARD_UNLISTED;
	first = find_in_list(&view, &scan->key);
	if (first < 0)
		return is_canary(prog, &scan->key) ? GUARD_CANARY : GUARD_UNLISTED;
	if (scan->flags & SCAN_TOO_MANY_MAPS || attr_fd_array_cnt(attr))
		return GUARD_MAPS;
	admission->view = view;
	admission->first = first;
	admission->alternatives = matching_references(scan, &view, first);
	unstable = has_unstable_fds(scan);
	if (unstable < 0)
		return GUARD_FAILURE;
	admission->unstable = unstable;
	if (!is_in_force(&view, status))
		return GUARD_UNLISTED;
	return admission->alternatives ? 0 : GUARD_MAPS;
}

/* What a ticket has to say of the target. Returns false if it cannot be read. */
static __always_inline bool read_ticket_target(struct ticket_target *target, const struct bpf_prog *prog)
{
	struct bpf_prog *program = prog->aux->dst_prog;

	if (program && (READ(target->attach_prog_id, program->aux, id) || !target->attach_prog_id))
		return false;
	if (!is_attached_to_module(prog))
		return true;
	return !READ(target->attach_btf_obj_id, prog->aux->attach_btf, id) && target->attach_btf_obj_id;
}

/*
 * Step 1 by a ticket of the current task. Returns 0 and the admission; GUARD_UNLISTED if there is none; or another
 * reason. No ticket covers a module whose BTF the instructions name, a device, and maps that they do not name.
 */
static __always_inline __u32 decide_by_ticket(struct guard_status *status, struct bpf_prog *prog,
					      const union bpf_attr *attr, struct scan *scan,
					      struct admission *admission)
{
	struct ticket_target target = {};
	int unstable = 0;
	__u32 reason;

	if (!has_ticket())
		return GUARD_UNLISTED;
	if (scan->flags & (SCAN_MODULE | SCAN_TOO_MANY_MAPS) || ATTR(attr, prog_ifindex) || attr_fd_array_cnt(attr))
		return GUARD_TICKET;
	if (!read_ticket_target(&target, prog))
		return GUARD_FAILURE;
	reason = use_ticket(status, &scan->key, &target, admission->ticket_maps);
	if (reason)
		return reason;
	/* nobody but the agent reaches its fds and its memory */
	if (!is_agent())
		unstable = has_unstable_fds(scan);
	if (unstable < 0)
		return GUARD_FAILURE;
	admission->unstable = unstable;
	admission->by_ticket = 1;
	admission->references.maps = scan->map_count;
	admission->references.references = scan->reference_count;
	copy_digest(admission->references.digest, scan->references.h);
	return 0;
}

/*
 * Step 1 for one program, which is scanned. Returns a reason of enum guard_reason, or 0 and the admission. A ticket is
 * used before the list is asked: it is for these very maps, where the list can have the program with others.
 */
static __always_inline __u32 decide_load(struct guard_status *status, struct bpf_prog *prog,
					 const union bpf_attr *attr, struct scan *scan, struct admission *admission)
{
	__u32 by_ticket, by_list;

	if (can_undo_guard(scan, prog))
		return GUARD_NEVER;
	if (status->state & GUARD_LOCKED)
		return GUARD_LOCKED_DOWN;
	if (ATTR(attr, core_relo_cnt))
		return GUARD_CORE_RELOS;
	by_ticket = decide_by_ticket(status, prog, attr, scan, admission);
	if (by_ticket == 0)
		return 0;
	by_list = decide_by_list(status, prog, attr, scan, admission);
	return by_list == GUARD_UNLISTED ? by_ticket : by_list;
}

/* Whether the collected maps are those of one of the entries that admitted the program. */
static __always_inline bool has_maps_of_list(struct scan *scan, const struct admission *admission)
{
	for (__u32 at = 0; at < GUARD_ALTERNATIVES; at++) {
		const struct list_entry *entry;

		if (!(admission->alternatives >> at & 1))
			continue;
		entry = list_entry_at(admission->view.list, admission->first + at);
		if (entry && has_maps_of_entry(scan, admission->view.list, entry->maps, admission->unstable))
			return true;
	}
	return false;
}

/* Step 2: whether the program has the maps of its ticket or entry. Returns a reason of enum guard_reason, or 0. */
static __always_inline __u32 decide_maps(const struct guard_status *status, struct bpf_prog *prog, struct scan *scan)
{
	const struct admission *admission = &scan->admission;

	if (!admission->by_ticket && !is_in_force(&admission->view, status))
		return GUARD_MAPS;
	if (collect_maps(scan, prog) < 0)
		return GUARD_MAPS;
	if (admission->unstable && scan->map_count > 1 && scan_references(scan, prog) < 0)
		return GUARD_FAILURE;
	if (admission->by_ticket)
		return has_maps_of_ticket(scan) ? 0 : GUARD_MAPS;
	return has_maps_of_list(scan, admission) && is_in_force(&admission->view, status) ? 0 : GUARD_MAPS;
}
