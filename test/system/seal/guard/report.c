// What the guard counted for a call.
#define _GNU_SOURCE
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "loads.h"

static const char *const REASONS[GUARD_REASONS] = {
	[GUARD_UNLISTED] = "unlisted", [GUARD_MAPS] = "maps", [GUARD_CORE_RELOS] = "core_relos",
	[GUARD_LOCKED_DOWN] = "locked_down", [GUARD_NEVER] = "never", [GUARD_OWN_OBJECT] = "own_object",
	[GUARD_AGENT] = "agent", [GUARD_FAILURE] = "failure", [GUARD_CANARY] = "canary",
	[GUARD_UNKNOWN_COMMAND] = "unknown_command", [GUARD_MASK] = "mask", [GUARD_TICKET] = "ticket"};

struct guard_status read_status(void)
{
	static int fd = -2;
	struct guard_status status = {0};
	uint32_t first = 0;
	union bpf_attr attr = {.key = (uint64_t)&first, .value = (uint64_t)&status};

	if (fd == -2)
		fd = open_guard_map(GUARD_STATUS, BPF_F_RDONLY);
	attr.map_fd = fd;
	bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	return status;
}

static const char *reason_between(const struct guard_status *before, const struct guard_status *after)
{
	for (int i = 0; i < GUARD_REASONS; i++)
		if (after->denied[i] != before->denied[i])
			return REASONS[i] ? REASONS[i] : "another";
	return "-";
}

void report(const char *name, int result, const struct guard_status *before)
{
	struct guard_status after = read_status();

	printf("%s: %s %s\n", name, result < 0 ? strerrorname_np(-result) : "loaded", reason_between(before, &after));
	fflush(stdout);
}
