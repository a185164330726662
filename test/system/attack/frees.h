// Waits for the kernel to free programs. A closed program is freed by a work item of the kernel's `events` queue, after
// a grace period of RCU. Linux 6.18 stops loading programs for ever when 1,024 such items, all that the queue runs at a
// time, wait for `pack_mutex` while its holder, in bpf_prog_pack_alloc, flushes another item of the same queue
// (kernel/bpf/core.c, mm/vmalloc.c). So whoever loads and closes programs in a loop has to wait for their end now and
// then.
#pragma once
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

// How many programs a thread may load before it waits: eight such threads stay below what the queue of one processor
// runs.
#define LOADS_AT_ONCE 128

static inline void await_frees(void)
{
	// each waits for one grace period; after the second one the items of programs closed before the first one have begun
	for (int i = 0; i < 2; i++)
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

// To be called once for each program that is loaded and closed.
static inline void count_load(void)
{
	static _Thread_local unsigned loads;

	if (++loads % LOADS_AT_ONCE == 0)
		await_frees();
}
