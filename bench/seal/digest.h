// What the program and digest.c agree on.
#pragma once

#define MAX_COUNT 100000

struct instructions {
	struct bpf_insn insns[MAX_COUNT];
};

struct measured {
	__u64 nanoseconds;
	__u32 count;
	__u32 reserved;
	__u8 digest[32];
};
