/* The kernel's functions that the guard calls. A kernel can be without the weak ones. */
#pragma once

#include "kernel.h"

struct bpf_key;
struct file;

/* Looks a thread up in the first pid namespace. Returns a reference that has to be released, or NULL. */
extern struct task_struct *bpf_task_from_pid(int pid) __ksym;
extern void bpf_task_release(struct task_struct *task) __ksym;

extern int bpf_get_fsverity_digest(struct file *file, struct bpf_dynptr *digest) __ksym;

/* They sleep, so that only programs that may sleep can call them. */
extern struct bpf_key *bpf_lookup_user_key(__s32 serial, __u64 flags) __ksym __weak;
extern void bpf_key_put(struct bpf_key *key) __ksym __weak;
extern int bpf_verify_pkcs7_signature(struct bpf_dynptr *data, struct bpf_dynptr *signature,
				      struct bpf_key *keyring) __ksym __weak;
