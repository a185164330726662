/* The sequence of sealing, the same at boot and on a running machine. */
#pragma once
#include <sys/types.h>

#include "loaded.h"

struct request {
	const uint8_t *image;
	size_t size;
	/* Whether the machine is running: the guard's state then has GUARD_LATE. */
	int late;
	/* Ids of the programs that may be loaded already, separated by commas; NULL: any. */
	const char *loaded;
	/* The process to mark as the agent; 0 for none. */
	pid_t agent;
	struct options options;
};

/*
 * Attaches the guard, proves with a canary that it denies, and seals it; under audit it is not sealed. Prints the
 * result as a line of JSON if the machine is running. Returns -1 after a failure, with the machine as it was before.
 */
int seal(const struct request *request, struct failure *failure);

/* Detaches a guard that is not sealed: one in audit. Returns the number of detached programs, or -1. */
int stop_guard(struct failure *failure);
/* Returns -1 if a guard of another version than this loader's is in force, whose maps may be others. */
int check_version(struct failure *failure);
/* Finds the map guard_status of a guard. Returns its fd, for reading only, or -1 if there is none. */
int find_status(uint32_t *id);
