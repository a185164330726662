/*
 * Loads programs and prints the nanoseconds of the CPU that each load took: `load-times FILE ROUNDS`, or with a third
 * word, `all`, those of all processes together. In a guest whose clock counts instructions, a nanosecond is an
 * instruction.
 *
 * The file has, in little-endian words, for each program: its type, expected attach type, attach BTF id and flags,
 * whether its licence is the GPL, the number of instructions, maps and references, then the instructions, the maps, and
 * for each reference the slot and the number of the map. A map has type, key size, value size, entries and flags, then
 * the number of words of its contents, which are frozen if there are any, and the contents.
 */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static long call(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int create_map(const uint32_t **at)
{
	const uint32_t *map = *at, *contents = map + 6;
	uint32_t key = 0;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = map[0];
	attr.key_size = map[1];
	attr.value_size = map[2];
	attr.max_entries = map[3];
	attr.map_flags = map[4];
	int fd = call(BPF_MAP_CREATE, &attr);
	*at = contents + map[5];
	if (fd < 0 || map[5] == 0)
		return fd;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)contents;
	if (call(BPF_MAP_UPDATE_ELEM, &attr) != 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	return call(BPF_MAP_FREEZE, &attr) == 0 ? fd : -1;
}

static clockid_t measured = CLOCK_THREAD_CPUTIME_ID;

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(measured, &time);
	return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* The least time of some loads, or 0 if the kernel rejects the program. */
static uint64_t load_time(union bpf_attr *attr, int rounds)
{
	uint64_t least = 0;
	for (int round = 0; round < rounds; round++) {
		uint64_t start = now();
		int fd = call(BPF_PROG_LOAD, attr);
		uint64_t took = now() - start;
		if (fd < 0)
			return 0;
		close(fd);
		if (least == 0 || took < least)
			least = took;
		usleep(1000);
	}
	return least;
}

static const uint32_t *run(const uint32_t *at, int number, int rounds)
{
	const uint32_t *head = at;
	uint32_t insns = head[5], maps = head[6], references = head[7];
	struct bpf_insn *code = malloc(insns * sizeof(*code));
	int fds[64], made = 1;
	memcpy(code, head + 8, insns * sizeof(*code));
	at = head + 8 + 2 * insns;
	for (uint32_t i = 0; i < maps; i++) {
		fds[i] = create_map(&at);
		made &= fds[i] >= 0;
	}
	for (uint32_t i = 0; i < references; i++, at += 2)
		code[at[0]].imm = fds[at[1]];
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = head[0];
	attr.expected_attach_type = head[1];
	attr.attach_btf_id = head[2];
	attr.prog_flags = head[3];
	attr.license = (uintptr_t)(head[4] ? "GPL" : "Proprietary");
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = insns;
	printf("%d %llu\n", number, made ? (unsigned long long)load_time(&attr, rounds) : 0);
	for (uint32_t i = 0; i < maps; i++)
		close(fds[i]);
	free(code);
	return at;
}

int main(int argc, char **argv)
{
	struct stat found;
	int fd = argc == 3 || argc == 4 ? open(argv[1], O_RDONLY) : -1;
	if (argc == 4)
		measured = CLOCK_MONOTONIC;
	if (fd < 0 || fstat(fd, &found) != 0)
		return 2;
	const uint32_t *at = mmap(NULL, found.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	const uint32_t *end = at + found.st_size / 4;
	for (int number = 0; at < end; number++)
		at = run(at, number, atoi(argv[2]));
	return 0;
}
