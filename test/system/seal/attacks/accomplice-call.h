/* The value of the map of the accomplice MAKE_CALL: a call of bpf(2), and its result. */
#pragma once
#include <linux/bpf.h>
#include <stdint.h>

struct accomplice_call {
	uint64_t command;
	/* Of BPF_PROG_LOAD: the accomplice sets `insns` and `license` to the next two members. */
	union bpf_attr attr;
	struct bpf_insn code[2];
	char license[8];
	int64_t result;
};
