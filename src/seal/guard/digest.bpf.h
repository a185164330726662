/* Digests of a program and of contents of maps. */
#pragma once

#include "kernel.h"
#include "sha256.h"

static __always_inline bool same_digest(const __u8 *expected, const __u32 *found)
{
	const __u32 *words = (const __u32 *)expected;
	__u32 differences = 0;

	for (int at = 0; at < 8; at++)
		differences |= words[at] ^ found[at];
	return differences == 0;
}
