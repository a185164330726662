/*
 * What the guard counts and records. User space may read guard_status and guard_events; an fd that is only for reading
 * does not keep an iterator or a map of maps from letting a BPF program write. So guard_status is what the guard goes
 * by only until the latch: from then on that is guard_state, which nobody can open, and guard_status is its copy.
 */
#pragma once

#include "copy.bpf.h"
#include "kernel.h"
#include "interface.h"
#include "open.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_status);
} guard_status SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct guard_status);
} guard_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GUARD_EVENT_COUNT);
	__type(key, __u32);
	__type(value, struct guard_event);
} guard_events SEC(".maps");

/* Return values of an lsm_cgroup program; the kernel makes EPERM of the second. */
#define ALLOW 1
#define DENY 0

static __always_inline bool is_sealed(const struct guard_status *status)
{
	return status->state & GUARD_SEALED;
}

/* The status by which the guard decides. */
static __always_inline struct guard_status *status_of_guard(void)
{
	__u32 first = 0;
	struct guard_status *state = bpf_map_lookup_elem(&guard_state, &first);

	return !state || is_sealed(state) ? state : bpf_map_lookup_elem(&guard_status, &first);
}

/* Sets the latch, and makes guard_state of guard_status. Returns false if a map cannot be read. */
static __always_inline bool seal_status(void)
{
	__u32 first = 0;
	struct guard_status *state = bpf_map_lookup_elem(&guard_state, &first);
	struct guard_status *status = bpf_map_lookup_elem(&guard_status, &first);

	if (!state || !status)
		return false;
	status->sealed_at = bpf_ktime_get_boot_ns();
	copy_words(state, status, sizeof(*state));
	__sync_fetch_and_or(&state->state, GUARD_SEALED);
	__sync_fetch_and_or(&status->state, GUARD_SEALED);
	return true;
}

/* Shows user space what has changed. */
static __always_inline void publish(const struct guard_status *status)
{
	__u32 first = 0;
	struct guard_status *published = bpf_map_lookup_elem(&guard_status, &first);

	if (is_sealed(status) && published)
		copy_words(published, status, sizeof(*published));
}

/* Whether the guard protects itself: by denials if it is sealed, or by records under audit. */
static __always_inline bool is_protecting(const struct guard_status *status)
{
	return is_sealed(status) || status->mode == GUARD_MODE_AUDIT;
}

/* What an event says beyond the task: the hook (enum guard_hook), three numbers, and a digest if there is one. */
struct event_detail {
	__u32 hook;
	__u32 detail[3];
	const __u8 *digest;
};

/* The first events stay, so that root cannot have denials overwritten by causing others. */
static __always_inline __u32 element_of_event(__u64 number)
{
	__u64 before = number - 1;

	if (before < GUARD_FIRST_EVENTS)
		return before;
	return GUARD_FIRST_EVENTS + (before - GUARD_FIRST_EVENTS) % GUARD_LAST_EVENTS;
}

static __always_inline void record_event(struct guard_status *status, __u32 reason, const struct event_detail *detail)
{
	__u64 number = __sync_fetch_and_add(&status->events, 1) + 1;
	__u64 uid_gid = bpf_get_current_uid_gid();
	__u32 at = element_of_event(number);
	struct guard_event *event = bpf_map_lookup_elem(&guard_events, &at);

	if (!event)
		return;
	event->time = bpf_ktime_get_boot_ns();
	event->reason = reason;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = uid_gid;
	event->gid = uid_gid >> 32;
	event->hook = detail->hook;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	for (int i = 0; i < 3; i++)
		event->detail[i] = detail->detail[i];
	if (detail->digest)
		copy_digest(event->digest, detail->digest);
	else
		__builtin_memset(event->digest, 0, sizeof(event->digest));
	event->number = number;
}

/*
 * What an lsm_cgroup program returns for a reason of enum guard_reason, which it counts and records: DENY, or ALLOW
 * under audit and while the guard is open to it. `reason` 0 is ALLOW.
 */
static __always_inline int verdict(struct guard_status *status, __u32 reason, const struct event_detail *detail)
{
	if (reason == 0)
		return ALLOW;
	if (reason >= GUARD_REASONS)
		reason = GUARD_FAILURE;
	__sync_fetch_and_add(&status->denied[reason], 1);
	record_event(status, reason, detail);
	publish(status);
	return status->mode == GUARD_MODE_AUDIT || is_open_to(status, reason) ? ALLOW : DENY;
}
