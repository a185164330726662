/* Kernel file systems, which need not be mounted. */
#pragma once
#include "loaded.h"

/* The root directory of a new mount of a file system that no path leads to; -1 and errno. */
int open_file_system(const char *type);
/* Makes the folder for pins. `undo_pins` removes it again, with the mount if there was none before. */
int make_pins(struct loaded *loaded, int late);
void undo_pins(struct loaded *loaded);
/* Whether the process is in the first namespaces of pid, user and cgroup. */
int in_first_namespaces(void);
