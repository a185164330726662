// Prints what a call came to: its name, the errno, and the reason that the guard counted.
#pragma once
#include <linux/types.h>
#include <stdint.h>

#include "../guard-map.h"

struct guard_status read_status(void);
// `result` is an fd, or -errno; `before` the status before the call.
void report(const char *name, int result, const struct guard_status *before);
