// Prints what the guard of this machine denied: `denial REASON DETAIL DETAIL COMM`, with the numbers of interface.h.
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../guard-map.h"

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(void)
{
	int fd = open_guard_map(GUARD_EVENTS, BPF_F_RDONLY);

	for (uint32_t at = 0; at < GUARD_EVENT_COUNT; at++) {
		struct guard_event event = {0};
		union bpf_attr attr = {.map_fd = fd, .key = (uintptr_t)&at, .value = (uintptr_t)&event};

		if (bpf(BPF_MAP_LOOKUP_ELEM, &attr) == 0 && event.number != 0 && event.pid != (uint32_t)getpid())
			printf("denial %u %u %u %.16s\n", event.reason, event.detail[0], event.detail[1], (char *)event.comm);
	}
	return 0;
}
