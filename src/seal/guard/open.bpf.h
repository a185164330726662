/*
 * Open until the lock: what the list, classes and tickets deny is recorded and allowed, until `seal lock` or a
 * deadline. After that every load is denied. The guard protects itself from the latch on.
 */
#pragma once

#include "kernel.h"
#include "interface.h"

/* Seconds after the latch at which the guard locks by itself; GUARD_OPEN_UNTIL_LOCK: never; 0: it is not open. */
const volatile __u32 guard_open = 0;

#define SECOND 1000000000ULL

/* Reasons for which loads are only recorded. What can undo the guard, and what cannot be judged, is denied. */
#define OPEN_REASONS                                                                                                   \
	(1U << GUARD_UNLISTED | 1U << GUARD_MAPS | 1U << GUARD_CORE_RELOS | 1U << GUARD_MASK | 1U << GUARD_SIGNATURE |  \
	 1U << GUARD_TICKET)

static __always_inline bool is_past_deadline(const struct guard_status *status)
{
	return guard_open != GUARD_OPEN_UNTIL_LOCK &&
	       bpf_ktime_get_boot_ns() - status->sealed_at >= guard_open * SECOND;
}

/* Whether a load that is denied for this reason is only recorded. */
static __always_inline bool is_open_to(const struct guard_status *status, __u32 reason)
{
	__u32 locked = status->state & (GUARD_OPEN | GUARD_LOCKED);

	return locked == GUARD_OPEN && reason < 32 && OPEN_REASONS >> reason & 1 && !is_past_deadline(status);
}

/* Locks the guard once the deadline is past, before a load is decided on. */
static __always_inline void lock_in_time(struct guard_status *status)
{
	if (status->state & GUARD_OPEN && !(status->state & GUARD_LOCKED) && is_past_deadline(status))
		__sync_fetch_and_or(&status->state, GUARD_LOCKED);
}
