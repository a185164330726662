/* Puts the pins where no path leads, at boot. */
#pragma once
#include "loaded.h"

/*
 * Covers the folder of pins: the root directory of the process is from now on a mount over it. Says on the console if
 * the kernel has no user namespaces, without which root can take the cover away. Returns -1 after a failure.
 */
int cover_pins(struct loaded *loaded, struct failure *failure);
/* Takes the cover and the mount with the pins away again, if there is one. */
void uncover_pins(struct loaded *loaded);
