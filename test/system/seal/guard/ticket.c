// Tickets as the tests write them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tickets.h"

// The tickets of programs.c in their order, as test/support/guard-ticket.ts encodes them, without what only a guest
// knows.
#define TICKETS "/lib/tickets"

static uint32_t index_of(const char *name)
{
	for (uint32_t i = 0; i < PROGRAM_COUNT; i++)
		if (strcmp(PROGRAMS[i].name, name) == 0)
			return i;
	abort();
}

const struct program *program_named(const char *name)
{
	return &PROGRAMS[index_of(name)];
}

uint64_t boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

struct guard_ticket ticket_for(const char *program)
{
	struct guard_ticket ticket;
	uint32_t index = index_of(program);
	int file = open(TICKETS, O_RDONLY);

	if (pread(file, &ticket, sizeof(ticket), index * sizeof(ticket)) != sizeof(ticket))
		abort();
	close(file);
	ticket.deadline = boot_time() + LONG_ENOUGH;
	if (PROGRAMS[index].target)
		ticket.attach_btf_id = btf_id(PROGRAMS[index].target);
	return ticket;
}

int write_ticket(const struct guard_ticket *ticket)
{
	syscall(SYS_bpf, GUARD_COMMAND_TICKET, ticket, sizeof(*ticket));
	return errno == EALREADY ? 0 : -errno;
}

int withdraw_ticket(pid_t task)
{
	struct guard_ticket ticket = {.tid = task, .flags = GUARD_TICKET_WITHDRAW};

	return write_ticket(&ticket);
}

const char *outcome(int error)
{
	return error ? strerrorname_np(-error) : "done";
}

void load_and_report(const char *name, const struct load *load)
{
	struct guard_status before = read_status();
	int fd = load_program(load);

	report(name, fd, &before);
	if (fd >= 0)
		close(fd);
}

void load_named(const char *name, const char *program)
{
	struct load load = {.program = *program_named(program)};

	load_and_report(name, &load);
}
