/* What a signature over the instructions changes of the verdict of step 1. */
#pragma once

#include "decide.bpf.h"
#include "signatures.bpf.h"

static __always_inline bool is_allowed_by_signature(struct bpf_prog *prog, const union bpf_attr *attr,
						    const struct scan *scan)
{
	return !is_beyond_lists(prog, attr, scan) && is_signed(attr, scan);
}

/*
 * `reason` is that of decide_load(), with its admission. A signature gives permission where nothing else does, whatever
 * maps the program has: `seal build` hands out signers only if no policy looks at anything else.
 */
static __always_inline __u32 decide_signature(__u32 reason, struct bpf_prog *prog, const union bpf_attr *attr,
					      const struct scan *scan, struct admission *admission)
{
	if (reason != GUARD_UNLISTED && reason != GUARD_MAPS && reason != GUARD_TICKET)
		return reason;
	if (!is_allowed_by_signature(prog, attr, scan))
		return reason;
	admission->allowed = 1;
	return 0;
}

/* Once signatures are required, nothing is loaded without one, whatever allows it: list, ticket or class. */
static __always_inline __u32 require_signature(const struct guard_status *status, __u32 reason, struct bpf_prog *prog,
					       const union bpf_attr *attr, const struct scan *scan)
{
	if (reason != 0 || !(status->state & GUARD_SIGNATURES_REQUIRED))
		return reason;
	return is_allowed_by_signature(prog, attr, scan) ? 0 : GUARD_SIGNATURE;
}
