// calls KIND COUNT [EACH]: times one kind of system call; prints the median of the first EACH calls, that of the last
// EACH calls, and the processor time of all, in nanoseconds. EACH is COUNT if it is not given.
// Between loads it waits now and then until the kernel has freed them, which is in none of these times.
// Kinds: seen (one program again and again), new (ever another one), lookup (a bpf(2) that needs no copy), getppid,
// filtered (getppid behind a filter that the kernel answers alone), access (looks up an element of a map), allowed
// (access behind a filter that allows all calls).
#define _GNU_SOURCE
#include "frees.h"
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static uint64_t now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int order(const void *a, const void *b)
{
	return *(uint64_t *)a < *(uint64_t *)b ? -1 : *(uint64_t *)a > *(uint64_t *)b;
}

static uint64_t median(uint64_t *times, int count)
{
	uint64_t *sorted = malloc(count * sizeof(*sorted)), middle;

	memcpy(sorted, times, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), order);
	middle = sorted[count / 2];
	free(sorted);
	return middle;
}

static void install(struct sock_filter *code, unsigned short length)
{
	struct sock_fprog program = {.len = length, .filter = code};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static void allow_all(void)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

	install(code, 1);
}

// An array of one element; the program ends if it cannot be created.
static int array(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
	int fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

	if (fd < 0)
		exit(3);
	return fd;
}

static void access_map(int map)
{
	uint32_t key = 0;
	uint64_t value;
	union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&value};

	if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)))
		exit(4);
}

// What a filter costs that the kernel answers by itself: the gate's own, with an errno in the place of the listener.
static void filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 0, 9),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_init_module, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_finit_module, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kexec_load, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kexec_file_load, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
	};

	install(code, sizeof(code) / sizeof(*code));
}

int main(int argc, char **argv)
{
	int count = atoi(argv[2]), each = argc > 3 ? atoi(argv[3]) : count, insns = 100;
	struct bpf_insn *program = calloc(insns, sizeof(*program));
	uint64_t *times = calloc(count, sizeof(*times)), all;
	char kind = argv[1][0];
	int map = -1;

	for (int i = 0; i < insns - 1; i++)
		program[i] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = i};
	program[insns - 1].code = BPF_JMP | BPF_EXIT;
	if (kind == 'f') {
		filter();
		kind = 'g';
	} else if (kind == 'a') {
		map = array();
		if (argv[1][1] == 'l')
			allow_all();
	}
	all = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < count; i++) {
		union bpf_attr attr = {};
		uint64_t start;
		long result = -1;

		if (kind == 'g') {
			syscall(SYS_getppid);
			continue;
		}
		if (kind == 'a') {
			access_map(map);
			continue;
		}
		if (kind == 'n')
			program[0].imm = i + 1000;
		if (kind != 'l') {
			attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
			attr.insn_cnt = insns;
			attr.insns = (uintptr_t)program;
			attr.license = (uintptr_t)"GPL";
		}
		start = now();
		result = syscall(SYS_bpf, kind == 'l' ? BPF_MAP_LOOKUP_ELEM : BPF_PROG_LOAD, &attr, sizeof(attr));
		times[i] = now() - start;
		if (result >= 0)
			close(result);
		if (kind != 'l')
			count_load();
	}
	all = read_clock(CLOCK_PROCESS_CPUTIME_ID) - all;
	printf("%llu %llu %llu\n", (unsigned long long)median(times, each),
	       (unsigned long long)median(times + count - each, each), (unsigned long long)all);
	return 0;
}
