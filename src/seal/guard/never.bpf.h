/*
 * Programs that can undo the guard. They are denied whatever the list says, because the same instructions can be
 * harmless elsewhere: `r0 = 1; exit` has one digest for every function that it is attached to. never.ts has the same
 * rules for `seal build`.
 */
#pragma once

#include "hooks.bpf.h"
#include "own.bpf.h"
#include "scan.bpf.h"

/* The name of a function; zero after its end. Longer names are cut. */
struct function_name {
	__u64 words[8];
};

/* `btf`, or its base if the type id or string offset is below the first one of `btf`; NULL if it cannot be read. */
static __always_inline struct btf *btf_with(struct btf *btf, __u32 number, __u32 first)
{
	struct btf *base;

	if (number >= first)
		return btf;
	/* at most one level: the BTF of a module is split from that of vmlinux */
	return READ(base, btf, base_btf) ? NULL : base;
}

static __always_inline long read_name_offset(__u32 *offset, struct btf *btf, __u32 id)
{
	struct btf_type **types, *type;
	struct btf *of;
	__u32 first;

	if (READ(first, btf, start_id))
		return -1;
	of = btf_with(btf, id, first);
	if (!of || READ(first, of, start_id) || READ(types, of, types))
		return -1;
	if (bpf_probe_read_kernel(&type, sizeof(type), types + (id - first)))
		return -1;
	return bpf_probe_read_kernel(offset, sizeof(*offset), &type->name_off);
}

/* Reads the name of what a program attaches to from the kernel's BTF. Returns below 0 if it cannot be read. */
static __always_inline long read_attach_name(struct function_name *name, struct btf *btf, __u32 id)
{
	const char *strings;
	struct btf *of;
	__u32 offset, first;

	if (read_name_offset(&offset, btf, id) || READ(first, btf, start_str_off))
		return -1;
	of = btf_with(btf, offset, first);
	if (!of || READ(first, of, start_str_off) || READ(strings, of, strings))
		return -1;
	return bpf_probe_read_kernel_str(name, sizeof(*name), strings + (offset - first));
}

/* Eight bytes of a literal, as a constant; zero after its end. */
static __always_inline __u64 literal_word(const char *literal, unsigned size, unsigned word)
{
	__u64 value = 0;

	_Pragma("unroll") for (unsigned byte = 0; byte < 8; byte++) if (8 * word + byte < size) value |=
		(__u64)(__u8)literal[8 * word + byte] << 8 * byte;
	return value;
}

/* Compared by words without branches, and with constants, since the object has no data. */
#define IS_NAME(name, literal)                                                                                         \
	({                                                                                                             \
		__u64 differs = 0;                                                                                     \
		_Pragma("unroll") for (unsigned word = 0; word < (sizeof(literal) + 7) / 8; word++) differs |=         \
			(name)->words[word] ^ literal_word(literal, sizeof(literal), word);                            \
		differs == 0;                                                                                          \
	})

static __always_inline bool is_hook_of_guard(const struct function_name *name)
{
#define IS_HOOK(hook)                                                                                                  \
	if (IS_NAME(name, "bpf_lsm_" #hook))                                                                           \
		return true;
	GUARD_HOOKS(IS_HOOK)
#undef IS_HOOK
	return false;
}

static __always_inline bool is_security_function(const struct function_name *name)
{
	return name->words[0] == literal_word("security", 8, 0) && (name->words[1] & 0xff) == '_';
}

/*
 * fmod_ret on security_*: the kernel tests the result of security_bpf() for < 0, so 1 skips every LSM. An LSM program
 * on a hook of the guard: an lsm_cgroup program can set another return value.
 */
static __always_inline bool attaches_to_guard(const struct list_entry *key, struct bpf_prog *prog)
{
	struct function_name name = {};
	struct btf *btf = prog->aux->attach_btf;
	bool changes_return = key->prog_type == BPF_PROG_TYPE_TRACING && key->expected_attach_type == BPF_MODIFY_RETURN;

	if (key->prog_type != BPF_PROG_TYPE_LSM && !changes_return)
		return false;
	if (!btf || read_attach_name(&name, btf, prog->aux->attach_btf_id) < 0)
		return true;
	return changes_return ? is_security_function(&name) : is_hook_of_guard(&name);
}

/* bpf_set_retval(), by which a second program of a cgroup overrides what the first one returned. */
#define CALLS_SET_RETVAL(scan) ((scan)->helpers[187 / 64] >> (187 % 64) & 1)

/* `scan` has the program's instructions and its key. */
static __always_inline bool can_undo_guard(const struct scan *scan, struct bpf_prog *prog)
{
	struct bpf_prog *target = prog->aux->dst_prog;

	if (target && is_own_program(target))
		return true;
	if (scan->key.prog_type == BPF_PROG_TYPE_CGROUP_SYSCTL && CALLS_SET_RETVAL(scan))
		return true;
	return attaches_to_guard(&scan->key, prog);
}
