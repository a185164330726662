// A thread that changes which map a program names, while the kernel reads it once for each instruction.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loads.h"

// What the thread changes: an element of fd_array, or what an fd refers to.
static struct race {
	int maps[2];
	int fds[2];
	bool indexed;
	atomic_bool ended;
} race;

static void *change(void *unused)
{
	for (int turn = 0; !race.ended; turn ^= 1)
		if (race.indexed)
			*(volatile int *)&race.fds[0] = race.maps[turn];
		else
			dup2(race.maps[turn], race.fds[0]);
	return unused;
}

// The first word of RODATA, which the program returns unless its last instruction names the second map.
static bool returns_first_word(int program)
{
	static char packet[64];
	uint32_t expected;
	union bpf_attr attr = {.test = {.prog_fd = program, .data_in = (uint64_t)packet, .data_size_in = sizeof(packet)}};

	bpf(BPF_PROG_TEST_RUN, &attr);
	memcpy(&expected, "0123", 4);
	return attr.test.retval == expected;
}

void run_race(const struct program *program, uint32_t loads)
{
	struct load load = {.program = *program, .indexed = program->insns[0].src_reg == BPF_PSEUDO_MAP_IDX_VALUE};
	struct bpf_insn insns[MAX_INSNS];
	uint32_t right = 0, wrong = 0, failed = 0;
	pthread_t thread;

	memcpy(insns, program->insns, sizeof(insns));
	for (int i = 0; i < 2; i++) {
		race.maps[i] = create_map(&program->maps[i]);
		race.fds[i] = dup(race.maps[i]);
	}
	race.indexed = load.indexed;
	race.ended = false;
	for (uint32_t i = 0; !load.indexed && i < program->count; i++)
		if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			insns[i].imm = race.fds[insns[i].imm];
	pthread_create(&thread, NULL, change, NULL);
	while (loads--) {
		int fd = pass_program(&load, race.fds, insns);

		if (fd < 0)
			failed++;
		else if (returns_first_word(fd))
			right++;
		else
			wrong++;
		close(fd);
	}
	race.ended = true;
	pthread_join(thread, NULL);
	printf("race of %s: right %u, wrong %u, failed %u\n", program->name, right, wrong, failed);
}
