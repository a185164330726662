/* Commands to the guard, which hook `bpf` gets as any command of bpf(2). */
#pragma once

#include "capabilities.bpf.h"
#include "errno.bpf.h"
#include "kernel.h"
#include "executables.bpf.h"
#include "interface.h"
#include "pins.bpf.h"
#include "status.bpf.h"
#include "tickets.bpf.h"

/* The process id of the loader, which alone may seal; the loader sets it before it creates the map of .rodata. */
const volatile __u32 guard_loader_tgid = 0;

/* Only the loader, once, and never under audit. */
static __always_inline bool may_seal(const struct guard_status *status)
{
	return !is_sealed(status) && status->mode == GUARD_MODE_ENFORCE &&
	       bpf_get_current_pid_tgid() >> 32 == guard_loader_tgid;
}

/* The latch. */
static __always_inline int seal(struct guard_status *status, const union bpf_attr *attr)
{
	if (!may_seal(status))
		return -EPERM;
	if (!set_pins(ATTR(attr, map_fd)) || !begin_executables(status))
		return -EPERM;
	if (guard_open)
		__sync_fetch_and_or(&status->state, GUARD_OPEN);
	return seal_status() ? -EALREADY : -EPERM;
}

/* Sets a bit of the state for good. */
static __always_inline int set_state(struct guard_status *status, __u32 bit)
{
	if (!is_administrator() || !is_sealed(status))
		return -EPERM;
	__sync_fetch_and_or(&status->state, bit);
	publish(status);
	return -EALREADY;
}

static __always_inline bool may_replace_list(const struct guard_status *status)
{
	return is_administrator() && is_sealed(status);
}

/* Only the agent writes tickets; who else tries is recorded as a task that acts as the agent. */
static __always_inline int take_ticket(struct guard_status *status, const union bpf_attr *attr, __u32 size)
{
	struct event_detail detail = { .hook = GUARD_AT_BPF, .detail = { GUARD_COMMAND_TICKET } };

	if (is_agent())
		return write_ticket(status, attr, size);
	verdict(status, GUARD_AGENT, &detail);
	return -EPERM;
}

/*
 * What bpf(2) returns for a command of the guard: -EALREADY if it was done. 0 for any other command, and for a new
 * list, which guard_replace() takes. `size` is that of attr.
 */
static __always_inline int run_command(struct guard_status *status, int command, const union bpf_attr *attr, __u32 size)
{
	switch (command) {
	case GUARD_COMMAND_SEAL:
		return seal(status, attr);
	case GUARD_COMMAND_CHECK:
		return may_seal(status) ? -EALREADY : -EPERM;
	case GUARD_COMMAND_LOCK:
		return set_state(status, GUARD_LOCKED);
	case GUARD_COMMAND_REQUIRE_SIGNATURES:
		return set_state(status, GUARD_SIGNATURES_REQUIRED);
	case GUARD_COMMAND_LIST:
		return may_replace_list(status) ? 0 : -EPERM;
	case GUARD_COMMAND_TICKET:
		return take_ticket(status, attr, size);
	default:
		return 0;
	}
}
