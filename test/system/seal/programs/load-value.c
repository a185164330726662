/*
 * Loads socket filters of two instructions, `r0 = VALUE; exit`, and prints for each value whether the kernel took it.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct bpf_insn insns[] = {
		    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = atoi(argv[i])},
		    {.code = BPF_JMP | BPF_EXIT},
		};
		union bpf_attr attr;
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
		attr.insns = (uintptr_t)insns;
		attr.insn_cnt = 2;
		attr.license = (uintptr_t)"GPL";
		long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
		printf("program %s: %s\n", argv[i], fd >= 0 ? "loaded" : errno == EPERM ? "EPERM" : strerror(errno));
	}
	return 0;
}
