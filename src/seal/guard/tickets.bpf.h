/*
 * Tickets: permissions of the agent, each for one load by one task. A ticket is in the storage of its task, so that it
 * ends with the task, and neither its children nor another task with its id have it. It counts until the next execve(2)
 * of the task.
 */
#pragma once

#include "agent.bpf.h"
#include "errno.bpf.h"
#include "interface.h"
#include "kfuncs.bpf.h"
#include "status.bpf.h"

/* The deadlines of outstanding tickets, each in a place of its own. A place is free once its deadline has passed. */
struct ticket_places {
	__u64 deadlines[GUARD_TICKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ticket_places);
} guard_places SEC(".maps");

/* The ticket of a task. */
struct held_ticket {
	struct bpf_spin_lock lock;
	/* 1: there is a ticket. */
	__u32 valid;
	/* Of the task when the ticket was written. */
	__u64 exec_id;
	/* The index of its place. */
	__u64 place;
	struct guard_ticket ticket;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct held_ticket);
} guard_tickets SEC(".maps");

/* Takes a place until the deadline. Returns its index, or -1 if there is none. */
static __always_inline long take_place(__u64 now, __u64 deadline)
{
	__u32 first = 0;
	struct ticket_places *places = bpf_map_lookup_elem(&guard_places, &first);

	if (!places)
		return -1;
	for (__u32 at = 0; at < GUARD_TICKETS; at++) {
		__u64 *place = &places->deadlines[at], taken = *(volatile __u64 *)place;

		if (taken < now && __sync_val_compare_and_swap(place, taken, deadline) == taken)
			return at;
	}
	return -1;
}

/* Frees a place, unless another ticket has it since its deadline, which is a later one. */
static __always_inline void free_place(__u64 at, __u64 deadline)
{
	__u32 first = 0;
	struct ticket_places *places = bpf_map_lookup_elem(&guard_places, &first);

	if (places && at < GUARD_TICKETS)
		__sync_val_compare_and_swap(&places->deadlines[at], deadline, 0);
}

/* Puts a ticket into the storage of a task, in place of the one that it had. */
static __always_inline int hold_ticket(struct task_struct *task, const struct guard_ticket *ticket, __u64 now)
{
	struct held_ticket *held = bpf_task_storage_get(&guard_tickets, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	__u64 exec_id = task->self_exec_id, old_place, old_deadline;
	bool had_one;
	long place;

	if (!held)
		return -ENOMEM;
	place = take_place(now, ticket->deadline);
	if (place < 0)
		return -ENOSPC;
	bpf_spin_lock(&held->lock);
	had_one = held->valid;
	old_place = held->place;
	old_deadline = held->ticket.deadline;
	copy_words(&held->ticket, ticket, sizeof(*ticket));
	held->exec_id = exec_id;
	held->place = place;
	held->valid = 1;
	bpf_spin_unlock(&held->lock);
	if (had_one)
		free_place(old_place, old_deadline);
	return 0;
}

/* Takes the ticket of a task away. */
static __always_inline int withdraw_ticket(struct task_struct *task, __u64 now)
{
	struct held_ticket *held = bpf_task_storage_get(&guard_tickets, task, NULL, 0);
	__u64 place, deadline;
	bool had_one;

	if (!held)
		return -ENOENT;
	bpf_spin_lock(&held->lock);
	had_one = held->valid;
	held->valid = 0;
	place = held->place;
	deadline = held->ticket.deadline;
	bpf_spin_unlock(&held->lock);
	if (!had_one)
		return -ENOENT;
	free_place(place, deadline);
	return deadline < now ? -ENOENT : 0;
}

static __always_inline int write_for(struct task_struct *task, const struct guard_ticket *ticket, __u64 now)
{
	return ticket->flags & GUARD_TICKET_WITHDRAW ? withdraw_ticket(task, now) : hold_ticket(task, ticket, now);
}

/* GUARD_COMMAND_TICKET of the agent: returns what bpf(2) returns. */
static __always_inline int write_ticket(struct guard_status *status, const union bpf_attr *attr, __u32 size)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct guard_ticket ticket;
	struct task_struct *task;
	int error;

	if (status->state & GUARD_LOCKED)
		return -EPERM;
	if (size != sizeof(ticket) || bpf_probe_read_kernel(&ticket, sizeof(ticket), attr))
		return -EINVAL;
	if (ticket.reserved || ticket.flags & ~GUARD_TICKET_WITHDRAW)
		return -EINVAL;
	if (!(ticket.flags & GUARD_TICKET_WITHDRAW) &&
	    (ticket.deadline < now || ticket.deadline - now > GUARD_TICKET_LIFETIME))
		return -ERANGE;
	if (!ticket.tid) {
		error = write_for(bpf_get_current_task_btf(), &ticket, now);
	} else {
		task = bpf_task_from_pid(ticket.tid);
		if (!task)
			return -ESRCH;
		error = write_for(task, &ticket, now);
		bpf_task_release(task);
	}
	if (error)
		return error;
	if (!(ticket.flags & GUARD_TICKET_WITHDRAW))
		__sync_fetch_and_add(&status->tickets_written, 1);
	publish(status);
	return -EALREADY;
}

/* What a ticket has to say of a load. */
struct ticket_target {
	__u32 attach_prog_id;
	__u32 attach_btf_obj_id;
};

/* Bytes of a ticket that are compared with the key of a load, as struct list_entry has them. */
#define TICKET_KEY_SIZE offsetof(struct guard_ticket, attach_prog_id)

/* Without branches: it runs under a lock. */
static __always_inline bool is_ticket_for(const struct guard_ticket *ticket, const struct list_entry *key,
					  const struct ticket_target *target)
{
	const __u32 *left = (const __u32 *)ticket, *right = (const __u32 *)key;
	__u32 differences = ticket->attach_prog_id ^ target->attach_prog_id;

	differences |= ticket->attach_btf_obj_id ^ target->attach_btf_obj_id;
	for (__u32 at = 0; at < TICKET_KEY_SIZE / 4; at++)
		differences |= left[at] ^ right[at];
	return differences == 0;
}

/* Whether the current task has a ticket, if only one that has ended. */
static __always_inline bool has_ticket(void)
{
	const struct held_ticket *held =
		bpf_task_storage_get(&guard_tickets, bpf_get_current_task_btf(), NULL, 0);

	return held && held->valid;
}

/*
 * Uses the ticket of the current task for a load. Returns 0 and the digest of maps; GUARD_TICKET if the task has a
 * ticket for something else, or one that has ended; or GUARD_UNLISTED if it has none.
 */
static __always_inline __u32 use_ticket(struct guard_status *status, const struct list_entry *key,
					const struct ticket_target *target, __u8 *maps)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct held_ticket *held = bpf_task_storage_get(&guard_tickets, task, NULL, 0);
	__u64 now = bpf_ktime_get_boot_ns(), exec_id = task->self_exec_id, place, deadline;
	bool had_one, counts, used;

	if (!held)
		return GUARD_UNLISTED;
	bpf_spin_lock(&held->lock);
	had_one = held->valid;
	place = held->place;
	deadline = held->ticket.deadline;
	counts = deadline >= now && held->exec_id == exec_id;
	used = had_one && counts && is_ticket_for(&held->ticket, key, target);
	if (used)
		copy_digest(maps, held->ticket.maps);
	if (used || !counts)
		held->valid = 0;
	bpf_spin_unlock(&held->lock);
	if (had_one && (used || !counts))
		free_place(place, deadline);
	if (!used)
		return had_one ? GUARD_TICKET : GUARD_UNLISTED;
	__sync_fetch_and_add(&status->tickets_used, 1);
	return 0;
}
