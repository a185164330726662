// Loads under a guard that is open until its lock. `open` locks it by the command; `open wait` waits for its deadline.
#define _GNU_SOURCE
#include "report.h"
#include "loads.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int load(uint32_t type, uint32_t attach_type, const char *target, int value)
{
	struct load load = {.program = {.type = type, .attach_type = attach_type, .license = "GPL", .target = target,
		.insns = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value}, {.code = BPF_JMP | BPF_EXIT}}, .count = 2}};

	return load_program(&load);
}

static void try(const char *name, uint32_t type, uint32_t attach_type, const char *target, int value)
{
	struct guard_status before = read_status();

	report(name, load(type, attach_type, target, value), &before);
}

static void lock_by_user(void)
{
	union bpf_attr attr = {0};

	if (fork() == 0) {
		setuid(65534);
		printf("lock by a user: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_LOCK, &attr)));
		exit(0);
	}
	wait(NULL);
}

int main(int argc, char **argv)
{
	union bpf_attr attr = {0};

	if (argc > 1 && strcmp(argv[1], "wait") == 0) {
		while (load(BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 7) >= 0)
			usleep(100000);
	} else {
		try("unlisted", BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 7);
		try("test program", BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, GUARD_CANARY_VALUE);
		try("fmod_ret on security_bpf", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "security_bpf", 1);
		printf("map of the guard: %d\n", open_guard_map(GUARD_LIST_A, 0));
		lock_by_user();
		printf("another latch: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_SEAL, &attr)));
		try("unlisted, still", BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 8);
		printf("lock by root: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_LOCK, &attr)));
	}
	try("unlisted after the lock", BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL, 7);
	printf("another latch after the lock: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_SEAL, &attr)));
	return 0;
}
