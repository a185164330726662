/* The agent: the process whose tickets let programs load. */
#pragma once
#include <sys/types.h>

#include "loaded.h"

/*
 * Marks a process as the agent, before the latch: afterwards nobody can. The mark ends with the process; it outlasts
 * execve(2), and children do not have it. `pid` is that of the process, not of one of its threads. Returns -1 after a
 * failure.
 */
int mark_agent(const struct image *image, const struct loaded *loaded, pid_t pid, struct failure *failure);
