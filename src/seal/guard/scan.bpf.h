/*
 * Reads the instructions of a program once: their digest, the references to maps, and the helpers that they call. All
 * of it is in the task's own storage, because it does not fit on the stack.
 */
#pragma once

#include "admission.bpf.h"
#include "digest.bpf.h"
#include "interface.h"

/* What a program's instructions contain; helpers are bits of scan.helpers. */
#define SCAN_KFUNC 1 /* calls a kfunc of vmlinux */
#define SCAN_MODULE 2 /* calls a kfunc of a module, or names a variable of one */
#define SCAN_BTF_ID 4 /* names a variable of the kernel */
#define SCAN_INDEXED 8 /* names maps by their index in bpf_attr.fd_array, which is read after the hook */
#define SCAN_OTHER_HELPER 16 /* calls a helper above 255 */
#define SCAN_TOO_MANY_MAPS 32
#define SCAN_FDS 64 /* names maps or BTF objects by their fds, which the digest leaves out */

/* struct fsverity_digest of linux/fsverity.h, with room for SHA-256. */
struct verity_digest {
	__u16 algorithm;
	__u16 size;
	__u32 digest[8];
};

struct scan {
	struct sha256 program;
	struct sha256 references;
	/* Address of the next instructions, and how many there are. */
	__u64 insns;
	__u32 left;
	/* src_reg + 1 of an ld_imm64 whose second slot comes next; otherwise 0. */
	__u32 wide;
	/* Immediate of its first slot. */
	__u32 first;
	__u32 flags;
	__u32 reference_count;
	__u32 map_count;
	__u64 helpers[4];
	/* Step 1: what names each map: an fd, or an index, which has INDEXED set. Step 2: the map's address. */
	__u64 maps[GUARD_MAX_MAPS];
	/* Step 2: address and size of the map's value, if instructions can name it. */
	__u64 values[GUARD_MAX_MAPS];
	__u32 value_sizes[GUARD_MAX_MAPS];
	/* For the list. */
	struct list_entry key;
	struct admission admission;
	/* For a ticket: the first bytes of a map's description, as blocks of SHA-256. */
	union {
		struct list_map map;
		__u8 blocks[2][64];
	} described;
	/* Of the executable that is judged. */
	struct verity_digest measured __attribute__((aligned(8)));
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct scan);
} guard_scans SEC(".maps");

/* The storage of the current task, or NULL if there is no memory. */
static __always_inline struct scan *scan_of_task(void)
{
	return bpf_task_storage_get(&guard_scans, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

#define INDEXED (1ULL << 32)

static __always_inline void begin_references(struct scan *scan)
{
	scan->reference_count = 0;
	sha256_begin(&scan->references);
	sha256_clear_block(&scan->references);
}

/* Adds a reference, by the map's number, to the digest of references. */
static __always_inline void add_to_references(struct scan *scan, __u32 number, __u32 offset)
{
	__u32 at = scan->reference_count++ & 7;

	scan->references.w[2 * at] = number;
	scan->references.w[2 * at + 1] = offset;
	if (at != 7)
		return;
	sha256_compress(&scan->references);
	sha256_clear_block(&scan->references);
}

/* After this, references.h is the digest of struct list_references. */
static __always_inline void finish_references(struct scan *scan)
{
	if (scan->reference_count)
		sha256_finish(&scan->references, 8 * scan->reference_count);
	else
		__builtin_memset(scan->references.h, 0, sizeof(scan->references.h));
}

/* Adds a reference to the map that `name` names. */
__noinline int add_reference(struct scan *scan, __u64 name, __u32 offset)
{
	__u32 number;

	if (!scan)
		return 0;
	for (number = 0; number < GUARD_MAX_MAPS; number++)
		if (number >= scan->map_count || scan->maps[number] == name)
			break;
	if (number >= GUARD_MAX_MAPS) {
		scan->flags |= SCAN_TOO_MANY_MAPS;
		return 0;
	}
	if (number >= scan->map_count) {
		scan->maps[number] = name;
		scan->map_count = number + 1;
	}
	add_to_references(scan, number, offset);
	return 0;
}

static __always_inline void scan_second_slot(struct scan *scan, struct bpf_insn *insn)
{
	__u32 source = scan->wide - 1;

	scan->wide = 0;
	if (source == BPF_PSEUDO_MAP_FD || source == BPF_PSEUDO_MAP_VALUE) {
		add_reference(scan, scan->first, insn->imm);
		scan->flags |= SCAN_FDS;
		insn->imm = 0;
	} else if (source == BPF_PSEUDO_MAP_IDX || source == BPF_PSEUDO_MAP_IDX_VALUE) {
		add_reference(scan, scan->first | INDEXED, insn->imm);
	} else if (source == BPF_PSEUDO_BTF_ID) {
		/* the fd of a module's BTF: which module it is cannot be compared */
		if (insn->imm)
			scan->flags |= SCAN_MODULE;
		insn->imm = 0;
	}
}

static __always_inline void scan_ld_imm64(struct scan *scan, struct bpf_insn *insn)
{
	__u32 source = insn->src_reg;

	scan->wide = source + 1;
	scan->first = insn->imm;
	if (source == BPF_PSEUDO_MAP_FD || source == BPF_PSEUDO_MAP_VALUE)
		insn->imm = 0;
	else if (source == BPF_PSEUDO_MAP_IDX || source == BPF_PSEUDO_MAP_IDX_VALUE)
		scan->flags |= SCAN_INDEXED;
	else if (source == BPF_PSEUDO_BTF_ID)
		scan->flags |= SCAN_BTF_ID;
}

static __always_inline void scan_call(struct scan *scan, const struct bpf_insn *insn)
{
	__u32 helper = insn->imm;

	if (insn->src_reg == BPF_PSEUDO_KFUNC_CALL)
		scan->flags |= insn->off ? SCAN_MODULE : SCAN_KFUNC;
	else if (insn->src_reg != 0)
		return;
	else if (helper < 256)
		scan->helpers[helper >> 6 & 3] |= 1ULL << (helper & 63);
	else
		scan->flags |= SCAN_OTHER_HELPER;
}

/* Scans the first `count` instructions of the block, at most 8, and zeroes in them what the digest leaves out. */
__noinline int scan_block(struct scan *scan, __u32 count)
{
	if (!scan)
		return 0;
	for (__u32 at = 0; at < 8; at++) {
		struct bpf_insn *insn = &scan->program.insns[at];

		if (at >= count)
			break;
		if (scan->wide)
			scan_second_slot(scan, insn);
		else if (insn->code == (BPF_LD | BPF_IMM | BPF_DW))
			scan_ld_imm64(scan, insn);
		else if (insn->code == (BPF_JMP | BPF_CALL))
			scan_call(scan, insn);
		/* a call by register, which no kernel has yet */
		else if (insn->code == (BPF_JMP | BPF_CALL | BPF_X))
			scan->flags |= SCAN_OTHER_HELPER;
	}
	return 0;
}

struct scan_context {
	struct scan *scan;
	long error;
};

/* Adds a block to the hash as it is. */
static long hash_block_of_insns(__u32 index, struct scan_context *context)
{
	struct scan *scan = context->scan;

	context->error = bpf_probe_read_kernel(scan->program.bytes, 64, (void *)(scan->insns + 64ULL * index));
	if (context->error)
		return 1;
	sha256_compress(&scan->program);
	return 0;
}

static long scan_whole_block(__u32 index, struct scan_context *context)
{
	struct scan *scan = context->scan;

	context->error = bpf_probe_read_kernel(scan->program.bytes, 64, (void *)(scan->insns + 64ULL * index));
	if (context->error)
		return 1;
	scan_block(scan, 8);
	sha256_compress(&scan->program);
	return 0;
}

/* Scans `count` instructions at an address of the kernel. Returns 0, or below 0. */
static __always_inline long scan_instructions(struct scan *scan, __u64 insns, __u32 count)
{
	struct scan_context context = { .scan = scan };
	__u32 blocks = count / 8, rest = count & 7;
	long done;

	sha256_begin(&scan->program);
	begin_references(scan);
	scan->insns = insns;
	scan->wide = scan->flags = scan->map_count = 0;
	__builtin_memset(scan->helpers, 0, sizeof(scan->helpers));
	done = bpf_loop(blocks, scan_whole_block, &context, 0);
	if (done < 0 || context.error)
		return done < 0 ? done : context.error;
	if (done != blocks)
		return -1;
	sha256_clear_block(&scan->program);
	if (bpf_probe_read_kernel(scan->program.bytes, 8 * rest, (void *)(insns + 64ULL * blocks)))
		return -1;
	scan_block(scan, rest);
	sha256_finish(&scan->program, 8 * count);
	finish_references(scan);
	return 0;
}
