/* The root directory of the agent: a file system of its own that nobody else can reach. */
#pragma once
#include "failure.h"

/* An empty folder of the initramfs. */
#define AGENT_ROOT "/countersign/root"

/*
 * Moves the files of a folder into a new tmpfs on AGENT_ROOT, adds proc, sysfs and devices, and makes it read-only.
 * Called in the mount namespace of the agent.
 */
int make_agent_root(const char *files, struct failure *failure);
