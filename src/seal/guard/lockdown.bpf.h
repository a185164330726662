/*
 * Which reasons of security_locked_down() are denied: those of lockdown=integrity, because each lets root change the
 * running kernel, and KCORE, which shows where the guard's maps are. The other reasons of lockdown=confidentiality only
 * read. lockdown-reasons.ts has a row for each.
 */
#pragma once

#include "kernel.h"

/* Names only: the numbers differ between kernels, and are relocated. */
enum lockdown_reason {
	LOCKDOWN_BPF_WRITE_USER = 1,
	LOCKDOWN_INTEGRITY_MAX = 2,
	LOCKDOWN_KCORE = 3,
};

enum kernel_read_file_id {
	READING_KEXEC_IMAGE = 1,
	READING_KEXEC_INITRAMFS = 2,
	READING_MODULE = 3,
	READING_MODULE_COMPRESSED = 4,
};

/*
 * Whether a file is read for kexec_file_load(2). The kernel does not ask locked_down for an image that is signed by a
 * key that it trusts, but such a kernel starts with any initramfs and is not sealed.
 */
static __always_inline bool is_for_kexec(__u32 id)
{
	return id == bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE) ||
	       id == bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_INITRAMFS);
}

static __always_inline bool is_locked_down(__u32 reason)
{
	/* the list decides who may call bpf_probe_write_user */
	if (bpf_core_enum_value_exists(enum lockdown_reason, LOCKDOWN_BPF_WRITE_USER) &&
	    reason == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_BPF_WRITE_USER))
		return false;
	/* a kernel without /proc/kcore has the reason, too */
	if (reason == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_KCORE))
		return true;
	return reason < bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_INTEGRITY_MAX);
}
