// Large programs, each written to `insns`; what a function returns is how many instructions it has.
#pragma once
#include "bpf.h"

#define CALL(off) ((struct bpf_insn){.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (off)})
#define HELPER(id) ((struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = (id)})
#define EQUAL(value, by) ((struct bpf_insn){.code = BPF_JMP | BPF_JEQ | BPF_K, .imm = (value), .off = (by)})
#define STORE(at) ((struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0, .off = (at)})
#define MOST 1000000

static struct bpf_insn insns[MOST];

static inline unsigned straight(void)
{
	for (unsigned i = 0; i < MOST - 1; i++)
		insns[i] = MOV0(i);
	insns[MOST - 1] = EXIT;
	return MOST;
}

static inline unsigned chain(void)
{
	for (unsigned i = 0; i < 128000; i++) {
		insns[2 * i] = i < 127999 ? CALL(1) : MOV0(0);
		insns[2 * i + 1] = EXIT;
	}
	return 256000;
}

// Branches over a frame of which every slot is used.
static inline unsigned branches(void)
{
	unsigned at = 0;

	insns[at++] = HELPER(BPF_FUNC_get_prandom_u32);
	for (unsigned i = 0; i < 64; i++)
		insns[at++] = STORE(-8 * (int)(i + 1));
	while (at < 600000) {
		insns[at] = STORE(-8 * (int)(at % 64 + 1));
		insns[at + 1] = EQUAL(at % 29, 0);
		at += 2;
	}
	insns[at++] = MOV0(0);
	insns[at++] = EXIT;
	return at;
}

static inline unsigned callers(void)
{
	for (unsigned i = 0; i < MOST - 4; i++)
		insns[i] = CALL(MOST - 2 - i - 1);
	for (unsigned i = MOST - 4; i < MOST; i += 2)
		insns[i] = MOV0(0), insns[i + 1] = EXIT;
	return MOST;
}
