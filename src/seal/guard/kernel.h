/*
 * The kernel's types, as far as the guard reads them. Clang records every access as a CO-RE relocation, so members need
 * not be in the kernel's order or at its offsets.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct btf {
	struct btf_type **types;
	const char *strings;
	__u32 nr_types;
	struct btf *base_btf;
	__u32 start_id;
	__u32 start_str_off;
	__u32 id;
	bool kernel_btf;
};

struct bpf_map {
	struct bpf_map *inner_map_meta;
	enum bpf_map_type map_type;
	__u32 key_size;
	__u32 value_size;
	__u32 max_entries;
	__u64 map_extra;
	__u32 map_flags;
	__u32 id;
	bool frozen;
};

struct bpf_array {
	struct bpf_map map;
	char value[0];
};

struct bpf_prog;
struct mm_struct;

struct bpf_prog_aux {
	struct bpf_prog *prog;
	__u32 used_map_cnt;
	__u32 id;
	__u32 attach_btf_id;
	struct btf *attach_btf;
	struct bpf_prog *dst_prog;
	bool dev_bound;
	bool offload_requested;
	const char *attach_func_name;
	struct bpf_map **used_maps;
	/* CLOCK_BOOTTIME in nanoseconds. */
	__u64 load_time;
};

struct bpf_prog {
	__u16 gpl_compatible : 1;
	enum bpf_prog_type type;
	enum bpf_attach_type expected_attach_type;
	__u32 len;
	struct bpf_prog_aux *aux;
	struct bpf_insn insnsi[0];
};

typedef struct {
	int counter;
} atomic_t;

struct fdtable;
struct nsproxy;

struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};

typedef struct {
	__u64 val;
} kernel_cap_t;

struct user_namespace {
	int level;
};

struct cred {
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
};

struct task_struct {
	struct task_struct *group_leader;
	int tgid;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	const struct cred *cred;
	struct mm_struct *mm;
	/* Another one after each execve(2). */
	__u64 self_exec_id;
};

#pragma clang attribute pop

/*
 * Reads a member of an object of the kernel into a variable. Not zero if it cannot be read; the variable is then zero,
 * which must not be taken for its value.
 */
#define READ(variable, object, member) bpf_core_read(&(variable), sizeof(variable), &(object)->member)
