/*
 * Serial numbers of keyrings of the kernel that nobody can change (loader/keyring.c); 0 where there is none. The loader
 * sets them before it creates the map of .rodata.
 */
#pragma once

#include "kernel.h"

/* Who signs lists. */
const volatile __s32 guard_list_ring = 0;
/* Whose signature allows a program. */
const volatile __s32 guard_program_ring = 0;
