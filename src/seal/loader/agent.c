#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/types.h>

#include "../guard/interface.h"
#include "bpf.h"
#include "files.h"

#define AGENT_MAP "guard_agent"
/* Of /proc/PID/stat: starttime, counted from 1. */
#define START_FIELD 22

/* Returns 0 if it cannot be read. */
static uint64_t start_of_process(pid_t pid)
{
	char path[32], text[1024];
	int proc = open_file_system("proc");
	snprintf(path, sizeof(path), "%d/stat", (int)pid);
	int fd = proc < 0 ? -1 : openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	close(proc);
	if (length < 0)
		return 0;
	text[length] = 0;
	/* the second field, the name, may have spaces and parentheses */
	const char *at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < START_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at == NULL ? 0 : strtoull(at, NULL, 10);
}

int mark_agent(const struct image *image, const struct loaded *loaded, pid_t pid, struct failure *failure)
{
	union bpf_attr attr;
	struct guard_status status;
	uint32_t mark = 1;
	int status_map = loaded->maps[image->header->status_map];
	char place[32];
	snprintf(place, sizeof(place), "process %d", (int)pid);
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process < 0)
		return fail(failure, STEP_AGENT, place, "cannot be the agent: there is no such process");
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map_named(image, loaded, AGENT_MAP);
	attr.key = address(&process);
	attr.value = address(&mark);
	int result = (int)bpf_call(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
	int error = errno;
	close(process);
	errno = error;
	if (result != 0)
		return fail(failure, STEP_AGENT, place, "cannot be marked as the agent");
	if (read_element(status_map, 0, &status) == 0) {
		status.agent = (uint64_t)pid;
		status.agent_start = start_of_process(pid);
		if (write_element(status_map, 0, &status) == 0)
			return 0;
	}
	return fail(failure, STEP_AGENT, "map guard_status", "cannot be written");
}
