/* The agent of an initramfs: a process that asks the policies and writes tickets. It starts before the latch. */
#pragma once
#include <sys/types.h>

#include "failure.h"

/* NUL-terminated strings: the program, then its arguments after argv[0]. Without this file there is no agent. */
#define AGENT_COMMAND "/countersign/command"
/* The files of the agent, by their paths in its root. */
#define AGENT_FILES "/countersign/agent"

/*
 * Starts the agent and waits until it says that it is ready. `pid` is 0 if the initramfs has none. Returns -1 after a
 * failure, without a process.
 */
int start_agent(pid_t *pid, struct failure *failure);

/* Ends an agent whose machine could not be sealed. */
void end_agent(pid_t pid);
