// Prints what the guard of this machine denied: `denial REASON DETAIL DETAIL COMM`, with the numbers of interface.h.
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../../src/seal/guard/interface.h"

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int map_named(const char *name)
{
	union bpf_attr attr = {0};

	while (bpf(BPF_MAP_GET_NEXT_ID, &attr) == 0) {
		union bpf_attr get = {.map_id = attr.next_id, .open_flags = BPF_F_RDONLY};
		struct bpf_map_info info = {0};
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &get);

		attr.start_id = attr.next_id;
		if (fd < 0)
			continue;
		union bpf_attr ask = {.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)&info}};
		bpf(BPF_OBJ_GET_INFO_BY_FD, &ask);
		if (strcmp(info.name, name) == 0)
			return fd;
		close(fd);
	}
	return -1;
}

int main(void)
{
	int fd = map_named(GUARD_EVENTS);

	for (uint32_t at = 0; at < GUARD_EVENT_COUNT; at++) {
		struct guard_event event = {0};
		union bpf_attr attr = {.map_fd = fd, .key = (uintptr_t)&at, .value = (uintptr_t)&event};

		if (bpf(BPF_MAP_LOOKUP_ELEM, &attr) == 0 && event.number != 0 && event.pid != (uint32_t)getpid())
			printf("denial %u %u %u %.16s\n", event.reason, event.detail[0], event.detail[1], (char *)event.comm);
	}
	return 0;
}
