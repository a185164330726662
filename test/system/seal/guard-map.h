/* Finds a map of the guard, for programs in a guest. */
#pragma once
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../src/seal/guard/interface.h"

/*
 * An fd of the first map with a name, opened with these flags of bpf_attr, or -1. The guard hands out its status and
 * its events for BPF_F_RDONLY only. Each other map of the guard that the search asks for is a denial, and counted.
 */
static inline int open_guard_map(const char *name, uint32_t flags)
{
	union bpf_attr next = {0};
	while (syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &next, sizeof(next)) == 0) {
		union bpf_attr open = {.map_id = next.next_id, .open_flags = flags};
		struct bpf_map_info info = {0};
		int fd = (int)syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &open, sizeof(open));
		next.start_id = next.next_id;
		if (fd < 0)
			continue;
		union bpf_attr ask = {.info = {(uint32_t)fd, sizeof(info), (uintptr_t)&info}};
		if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask)) == 0 && strcmp(info.name, name) == 0)
			return fd;
		close(fd);
	}
	return -1;
}
