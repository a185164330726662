/*
 * Writes of sysctls that are denied.
 *
 * kernel.ftrace_enabled: before Linux 7.3, 0 turns every program on a BPF trampoline off, so the guard, too.
 * kernel.unprivileged_bpf_disabled: 0 would let every user load listed programs. 1 and 2 may be written.
 *
 * The other sysctls of BPF change nothing that the guard relies on: net.core.bpf_jit_enable, bpf_jit_harden and
 * bpf_jit_limit are about later loads, kernel.bpf_stats_enabled about counters.
 */
#pragma once

#include "errno.bpf.h"
#include "kernel.h"

/* A name as words, since comparing bytes gives the verifier a path for each of them. */
union sysctl_name {
	char text[40];
	__u64 words[5];
};

static __always_inline bool is_same_name(const union sysctl_name *name, const union sysctl_name *other)
{
	__u64 difference = 0;

	for (int at = 0; at < 5; at++)
		difference |= name->words[at] ^ other->words[at];
	return difference == 0;
}

static __always_inline bool is_one_or_two(struct bpf_sysctl *ctx)
{
	char value[4] = {};
	int size = bpf_sysctl_get_new_value(ctx, value, sizeof(value));

	return (size == 1 || (size == 2 && value[1] == '\n')) && (value[0] == '1' || value[0] == '2');
}

/*
 * Whether a write that turns BPF programs off, or on for every user, is made. A name that does not fit is another one;
 * one that cannot be read is denied.
 */
static __always_inline bool is_denied_sysctl(struct bpf_sysctl *ctx)
{
	const union sysctl_name ftrace = { .text = "kernel/ftrace_enabled" };
	const union sysctl_name unprivileged = { .text = "kernel/unprivileged_bpf_disabled" };
	union sysctl_name name = {};
	int length;

	if (!ctx->write)
		return false;
	length = bpf_sysctl_get_name(ctx, name.text, sizeof(name.text), 0);
	if (length < 0)
		return length != -E2BIG;
	return is_same_name(&name, &ftrace) || (is_same_name(&name, &unprivileged) && !is_one_or_two(ctx));
}
