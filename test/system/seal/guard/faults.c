// Loads a program that the guard allows while one call of a helper in the guard fails: each call, one after another.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../guard-map.h"
#include "faults.h"
#include "loads.h"
#include "tickets.h"

struct fault *guard_fault(void)
{
	static struct fault *fault;

	if (!fault)
		fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED, open_guard_map("guard_fault", 0), 0);
	if (fault == MAP_FAILED)
		abort();
	return fault;
}

void arm(uint32_t site, uint32_t nth)
{
	struct fault *fault = guard_fault();

	fault->site = site;
	fault->nth = nth;
	fault->count = fault->failed = 0;
}

void begin_call(void)
{
	*(volatile uint32_t *)&guard_fault()->thread = gettid();
}

void end_call(void)
{
	*(volatile uint32_t *)&guard_fault()->thread = 0;
}

static void print_sites(const char *what, const uint32_t *counts)
{
	printf("%s:", what);
	for (uint32_t site = 1; site < FAULT_SITES; site++)
		if (counts[site])
			printf(" %u", site);
	printf("\n");
	fflush(stdout);
}

void print_calls(void) { print_sites("called", guard_fault()->calls); }
void print_failures(void) { print_sites("failed", guard_fault()->failures); }

bool load_passes(const struct load *load)
{
	struct prepared prepared;
	int fd;

	prepare_program(load, &prepared);
	begin_call();
	fd = pass_program(load, prepared.fds, prepared.insns);
	end_call();
	release_program(load, &prepared);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void run_faults(struct load *load, const char *name, const char *ticket)
{
	uint32_t denied = 0, loaded = 0;

	for (uint32_t nth = 1; nth < 100000; nth++) {
		bool passes;

		if (ticket) {
			struct guard_ticket written = ticket_for(ticket);

			write_ticket(&written);
		}
		arm(FAULT_READS, nth);
		passes = load_passes(load);
		if (!guard_fault()->failed) {
			printf("faults of %s: %s after %u denied, %u loaded\n", name, passes ? "loaded" : "denied", denied, loaded);
			return;
		}
		if (passes) {
			printf("call %u failed, and %s was loaded\n", nth, name);
			loaded++;
		} else {
			denied++;
		}
	}
}
