// Many tasks try to load one program at the same time, for which there is one ticket at a time.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tickets.h"

#define THREADS 8
#define PROCESSES 7

// Shared with the other processes.
static struct race {
	atomic_uint ready;
	atomic_uint attempts;
	atomic_uint won;
	atomic_uint won_by_thread[THREADS];
	atomic_uint won_by_process;
	atomic_bool ended;
	pid_t threads[THREADS];
} *race;

static int try(void)
{
	struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_CGROUP_SKB, .expected_attach_type = BPF_CGROUP_INET_EGRESS,
			       .insns = (uint64_t)insns, .insn_cnt = 2, .license = (uint64_t)"GPL"};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd >= 0)
		close(fd);
	return fd;
}

static void *try_in_thread(void *argument)
{
	uint64_t self = (uint64_t)argument;

	race->threads[self] = gettid();
	race->ready++;
	while (!race->ended) {
		if (try() >= 0) {
			race->won_by_thread[self]++;
			race->won++;
		}
		race->attempts++;
		sched_yield();
	}
	return NULL;
}

static void try_in_process(void)
{
	race->ready++;
	while (!race->ended) {
		if (try() >= 0)
			race->won_by_process++;
		sched_yield();
	}
	_exit(0);
}

void race_for_tickets(uint32_t rounds)
{
	pthread_t threads[THREADS];
	struct guard_status before = read_status(), after;
	uint32_t wrong = 0, refused = 0;

	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			try_in_process();
	for (uint64_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, try_in_thread, (void *)i);
	while (race->ready < THREADS + PROCESSES)
		sched_yield();
	for (uint32_t round = 0; round < rounds; round++) {
		uint32_t chosen = round % THREADS, won_before = race->won_by_thread[chosen];
		struct guard_ticket ticket = ticket_for("cgroup");

		ticket.tid = race->threads[chosen];
		if (write_ticket(&ticket) < 0) {
			refused++;
			continue;
		}
		while (race->won < round + 1 - refused)
			sched_yield();
		wrong += race->won_by_thread[chosen] != won_before + 1;
	}
	race->ended = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	while (wait(NULL) > 0)
		;
	after = read_status();
	printf("race: %u tickets, refused %u, won %u, by another thread %u, by another process %u, used %llu\n", rounds,
	       refused, race->won, wrong, race->won_by_process, after.tickets_used - before.tickets_used);
	fflush(stdout);
	munmap(race, sizeof(*race));
}

void race_with_withdrawal(uint32_t rounds)
{
	pthread_t thread;
	uint32_t written = 0, withdrawn = 0;

	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_create(&thread, NULL, try_in_thread, NULL);
	while (race->ready < 1)
		sched_yield();
	for (uint32_t round = 0; round < rounds; round++) {
		struct guard_ticket ticket = ticket_for("cgroup");

		ticket.tid = race->threads[0];
		written += write_ticket(&ticket) == 0;
		// at once, or after one or two attempts: the second one is made with the ticket
		uint32_t seen = race->attempts;
		while (race->attempts - seen < round % 3)
			sched_yield();
		withdrawn += withdraw_ticket(race->threads[0]) == 0;
	}
	race->ended = true;
	pthread_join(thread, NULL);
	printf("withdrawal of tickets in use: written %u, used or withdrawn %u, both ways %s\n", written, race->won + withdrawn,
	       race->won > 0 && withdrawn > 0 ? "yes" : "no");
	fflush(stdout);
	munmap(race, sizeof(*race));
}
