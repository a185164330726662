/* The kernel's functions that verify signatures. They sleep, so that only programs that may sleep can call them. */
#pragma once

#include "errno.bpf.h"
#include "kernel.h"

struct bpf_key;

extern struct bpf_key *bpf_lookup_user_key(__s32 serial, __u64 flags) __ksym __weak;
extern void bpf_key_put(struct bpf_key *key) __ksym __weak;
extern int bpf_verify_pkcs7_signature(struct bpf_dynptr *data, struct bpf_dynptr *signature,
				      struct bpf_key *keyring) __ksym __weak;

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
