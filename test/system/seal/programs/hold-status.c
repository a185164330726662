/*
 * hold-status SIZE VERSION COMMAND…: runs a command while there is a map guard_status of SIZE bytes with this version,
 * as that of a guard from another version of Countersign.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static uint32_t value[1024];
	uint32_t first = 0;
	if (argc < 4 || (size_t)atoi(argv[1]) > sizeof(value))
		return 2;
	union bpf_attr map = {
	    .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = (uint32_t)atoi(argv[1]), .max_entries = 1};
	strcpy(map.map_name, "guard_status");
	int fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
	value[0] = (uint32_t)atoi(argv[2]);
	union bpf_attr write = {.map_fd = (uint32_t)fd, .key = (uintptr_t)&first, .value = (uintptr_t)value};
	if (fd < 0 || syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &write, sizeof(write)) != 0) {
		perror("hold-status");
		return 2;
	}
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	int status;
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
