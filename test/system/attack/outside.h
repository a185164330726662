// A task outside of the gate, which serves those inside over a socket at a path: it sends fds, and takes some.
#pragma once
#include "gate.h"

static inline int socket_at(const char *path, int serve)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (serve) {
		unlink(path);
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8))
			perror("listening"), exit(3);
		return fd;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		perror("connecting"), exit(3);
	return fd;
}

static inline const char *outcome(long result)
{
	// ENOTSUPP of the kernel has no name in user space
	return result >= 0 ? "done" : errno == 524 ? "ENOTSUPP" : strerrorname_np(errno);
}

#define SAY(what, result) printf("%s: %s\n", what, outcome(result))

// What a program returns for an empty packet, as a number or an errno.
static inline void say_run(const char *what, int prog)
{
	char packet[64] = {};
	union bpf_attr attr = {.test = {.prog_fd = prog, .data_in = (uintptr_t)packet, .data_size_in = sizeof(packet)}};

	if (bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %d\n", what, attr.test.retval);
}

static inline long set_element(int map, uint32_t key, const void *value)
{
	union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)value};

	return bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}
