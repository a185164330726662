// What the attacks have in common: bpf(2) by hand, and the two programs that the policy of the tests tells apart.
#pragma once
#define _GNU_SOURCE
#include "frees.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOV0(value) ((struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = (value)})
#define EXIT ((struct bpf_insn){.code = BPF_JMP | BPF_EXIT})

// The policy lets `r0 = 2; exit` through and refuses `r0 = 1; exit`.
static const struct bpf_insn GOOD[2] = {MOV0(2), EXIT};
static const struct bpf_insn BAD[2] = {MOV0(1), EXIT};

static inline long bpf(int cmd, void *attr, unsigned size)
{
	long result = syscall(SYS_bpf, cmd, attr, size);

	if (cmd == BPF_PROG_LOAD && result >= 0)
		count_load();
	return result;
}

static inline void fill(union bpf_attr *attr, const void *insns, unsigned count)
{
	memset(attr, 0, sizeof(*attr));
	attr->prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr->insns = (uintptr_t)insns;
	attr->insn_cnt = count;
	attr->license = (uintptr_t)"GPL";
}

static inline int load(const void *insns, unsigned count)
{
	union bpf_attr attr;

	fill(&attr, insns, count);
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static inline int array(unsigned value_size)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = value_size, .max_entries = 1};

	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static inline int prog_info(int fd, struct bpf_prog_info *info)
{
	union bpf_attr attr = {};

	memset(info, 0, sizeof(*info));
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uintptr_t)info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

// The kernel's tag says which program an fd is, whatever was meant to be loaded.
static inline uint64_t tag_of(int fd)
{
	struct bpf_prog_info info;
	uint64_t tag = 0;

	if (prog_info(fd, &info) == 0)
		memcpy(&tag, info.tag, sizeof(tag));
	return tag;
}
