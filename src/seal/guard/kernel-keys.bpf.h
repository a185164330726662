/* Has the kernel verify signatures. */
#pragma once

#include "errno.bpf.h"
#include "kfuncs.bpf.h"

/* A kernel without CONFIG_SYSTEM_DATA_VERIFICATION has none of them. */
static __always_inline bool has_signature_kfuncs(void)
{
	return bpf_ksym_exists(bpf_lookup_user_key) && bpf_ksym_exists(bpf_key_put) &&
	       bpf_ksym_exists(bpf_verify_pkcs7_signature);
}

/* Verifies a detached CMS signature by the keyring with a serial number. Returns 0, or below 0 the kernel's errno. */
static __always_inline int verify_by_keyring(__s32 serial, struct bpf_dynptr *data, struct bpf_dynptr *signature)
{
	struct bpf_key *keyring = bpf_lookup_user_key(serial, 0);
	int error;

	if (!keyring)
		return -ENOKEY;
	error = bpf_verify_pkcs7_signature(data, signature, keyring);
	bpf_key_put(keyring);
	return error;
}
