/*
 * Signatures with SHA-1, for which two messages with one digest can be made (https://shattered.io). The kernel takes
 * them (pkcs7_sig_note_digest_algo of crypto/asymmetric_keys/pkcs7_parser.c), src/trust does not, and a guard must not
 * allow more than the policies.
 */
#pragma once

#include "errno.bpf.h"
#include "kernel.h"

/*
 * id-sha1, 1.3.14.3.2.26 (RFC 3279 2.2.1), as the first 6 bytes of a little-endian number: its length, and its bytes.
 */
#define SHA1_IDENTIFIER 0x1a02030e2b05ULL
#define SHA1_IDENTIFIER_BITS 48

struct weak_search {
	__u64 signature;
	int result;
};

static long find_weak_digest(__u32 at, struct weak_search *search)
{
	__u64 bytes;

	if (bpf_probe_read_kernel(&bytes, sizeof(bytes), (void *)(search->signature + at)))
		search->result = -EFAULT;
	else if (bytes << (64 - SHA1_IDENTIFIER_BITS) == SHA1_IDENTIFIER << (64 - SHA1_IDENTIFIER_BITS))
		search->result = -ENOPKG;
	return search->result != 0;
}

/*
 * -ENOPKG for a CMS signature at an address of the kernel that names SHA-1 anywhere, otherwise 0. A SignerInfo names
 * its digest; that other bytes of a signature are the same has a probability below 2^-34. 7 bytes behind it are read.
 */
static __always_inline int deny_weak_digest(__u64 signature, __u32 size)
{
	struct weak_search search = { .signature = signature };

	return bpf_loop(size, find_weak_digest, &search, 0) < 0 ? -EFAULT : search.result;
}
