// The running kernel in place of a fake one: everything reaches bpf(2), except programs that are not probes. They are
// written down as with the fake kernel.
#pragma once
#include <stdint.h>

void real_kernel_enter(void);

// As fake_kernel_program.
int real_kernel_program(const void *data, uint32_t size);
