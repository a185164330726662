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

int map_named(const char *name, uint32_t open_flags)
{
	union bpf_attr attr = {0};

	while (bpf(BPF_MAP_GET_NEXT_ID, &attr) == 0) {
		union bpf_attr get = {.map_id = attr.next_id, .open_flags = open_flags};
		struct bpf_map_info info = {0};
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &get);

		attr.start_id = attr.next_id;
		if (fd < 0)
			continue;
		union bpf_attr ask = {.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uint64_t)&info}};
		bpf(BPF_OBJ_GET_INFO_BY_FD, &ask);
		if (strcmp(info.name, name) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

struct guard_status read_status(void)
{
	static int fd = -2;
	struct guard_status status = {0};
	uint32_t first = 0;
	union bpf_attr attr = {.key = (uint64_t)&first, .value = (uint64_t)&status};

	if (fd == -2)
		fd = map_named(GUARD_STATUS, BPF_F_RDONLY);
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
