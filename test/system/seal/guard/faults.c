// Loads a program that the guard allows while one call of a helper in the guard fails: each call, one after another.
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../guard-map.h"
#include "loads.h"
#include "tickets.h"

struct fault {
	uint32_t nth, count, failed;
};

static struct fault exchange(int map, const struct fault *next)
{
	struct fault last = {0};
	uint32_t first = 0;
	union bpf_attr read = {.map_fd = map, .key = (uint64_t)&first, .value = (uint64_t)&last};
	union bpf_attr write = {.map_fd = map, .key = (uint64_t)&first, .value = (uint64_t)next};

	bpf(BPF_MAP_LOOKUP_ELEM, &read);
	bpf(BPF_MAP_UPDATE_ELEM, &write);
	return last;
}

void run_faults(struct load *load, const char *name, const char *ticket)
{
	int map = open_guard_map("guard_fault", 0);
	uint32_t denied = 0, loaded = 0;

	for (uint32_t nth = 1; nth < 100000; nth++) {
		struct fault none = {0}, fault = {.nth = nth};
		struct prepared prepared;
		int fd;

		prepare_program(load, &prepared);
		if (ticket) {
			struct guard_ticket written = ticket_for(ticket);

			write_ticket(&written);
		}
		exchange(map, &fault);
		fd = pass_program(load, prepared.fds, prepared.insns);
		fault = exchange(map, &none);
		release_program(load, &prepared);
		if (fd >= 0)
			close(fd);
		if (!fault.failed) {
			printf("faults of %s: %s after %u denied, %u loaded\n", name, fd >= 0 ? "loaded" : "denied", denied, loaded);
			return;
		}
		if (fd >= 0) {
			printf("call %u failed, and %s was loaded\n", nth, name);
			loaded++;
		} else {
			denied++;
		}
	}
}
