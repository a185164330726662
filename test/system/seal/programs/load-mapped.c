/*
 * Loads a socket filter that reads a frozen map and looks up in a hash map, and prints whether the kernel took it.
 *
 *   load-mapped [VALUE]     the contents of the frozen map
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int create(uint32_t type, uint32_t entries, uint32_t flags)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.max_entries = entries;
	attr.map_flags = flags;
	return (int)bpf(BPF_MAP_CREATE, &attr);
}

static void fill(int map, uint64_t value)
{
	union bpf_attr attr;
	uint32_t key = 0;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&value;
	bpf(BPF_MAP_UPDATE_ELEM, &attr);
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	bpf(BPF_MAP_FREEZE, &attr);
}

int main(int argc, char **argv)
{
	int data = create(BPF_MAP_TYPE_ARRAY, 1, BPF_F_RDONLY_PROG);
	int hash = create(BPF_MAP_TYPE_HASH, 7, 0);
	fill(data, argc > 1 ? strtoull(argv[1], NULL, 10) : 1);
	struct bpf_insn insns[] = {
	    /* r6 = *(u32 *)(data + 4) */
	    {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 6, .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = data},
	    {.imm = 4},
	    {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 6, .src_reg = 6},
	    /* r0 = bpf_map_lookup_elem(hash, &r6) */
	    {.code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = 10, .src_reg = 6, .off = -4},
	    {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10},
	    {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4},
	    {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = hash},
	    {0},
	    {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = sizeof(insns) / sizeof(*insns);
	attr.license = (uintptr_t)"GPL";
	long fd = bpf(BPF_PROG_LOAD, &attr);
	printf("program with maps: %s\n", fd >= 0 ? "loaded" : errno == EPERM ? "EPERM" : strerror(errno));
	return 0;
}
