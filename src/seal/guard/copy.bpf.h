/* Copies between values of maps. */
#pragma once

#include "kernel.h"

/*
 * Copies `size` bytes, a multiple of 8, of values that are aligned to 8 bytes. The compiler takes a memcpy of more than
 * a few words through the stack, of which the guard's programs have little: words are volatile so that it does not.
 */
static __always_inline void copy_words(void *to, const void *from, __u32 size)
{
	for (__u32 word = 0; word < size / 8; word++)
		((volatile __u64 *)to)[word] = ((const volatile __u64 *)from)[word];
}

/* Copies a SHA-256. Both are aligned to 4 bytes. */
static __always_inline void copy_digest(__u8 *to, const void *from)
{
	for (__u32 word = 0; word < 8; word++)
		((volatile __u32 *)to)[word] = ((const volatile __u32 *)from)[word];
}
