/* What a guard in the same guest counts, for programs that print why a call was denied. */
#pragma once
#include <errno.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../guard-map.h"

static long bpf_call(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* The map is looked for once: the guard counts each of its own maps that it does not hand out meanwhile. */
static void read_denied(uint64_t denied[GUARD_REASONS])
{
	static int fd = -1;
	struct guard_status status = {0};
	uint32_t first = 0;
	union bpf_attr attr = {0};
	if (fd < 0)
		fd = open_guard_map(GUARD_STATUS, BPF_F_RDONLY);
	attr.map_fd = (uint32_t)fd;
	attr.key = (uintptr_t)&first;
	attr.value = (uintptr_t)&status;
	if (fd >= 0)
		bpf_call(BPF_MAP_LOOKUP_ELEM, &attr);
	memcpy(denied, status.denied, sizeof(status.denied));
}

/* `NAME: ok`, or `NAME: EPERM 13`: the errno, and the numbers of reasons whose counters grew. */
static void print_result(const char *name, int error, const uint64_t before[GUARD_REASONS])
{
	uint64_t after[GUARD_REASONS];
	read_denied(after);
	printf("%s: %s", name, error == 0 ? "ok" : strerrorname_np(error));
	for (int reason = 0; reason < GUARD_REASONS; reason++)
		if (after[reason] > before[reason])
			printf(" %d", reason);
	printf("\n");
	fflush(stdout);
}
