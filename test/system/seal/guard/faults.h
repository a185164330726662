// Has calls of helpers in the guard fail, where it was compiled with failing.h.
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "loads.h"

// The element of the map guard_fault.
struct fault *guard_fault(void);
// Has the n-th call of a site fail, 0: each call, from now on in what is between the two below.
void arm(uint32_t site, uint32_t nth);
void begin_call(void);
void end_call(void);
// Whether a program can be loaded. Its maps are created before calls fail.
bool load_passes(const struct load *load);
// Print `called: SITES…` or `failed: SITES…`: those that were called, and those of which a call failed.
void print_calls(void);
void print_failures(void);
// What refusals.c asks the guard for, with each call failing that is made for it. The executables alone: where this is
// not the agent.
void run_refusals(void);
void run_refused_executables(void);
