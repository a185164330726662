/* Loading and attaching programs by bpf(2) alone. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long bpf(int command, union bpf_attr *attr, unsigned int size)
{
	return syscall(SYS_bpf, command, attr, size);
}

/* A program that returns a constant. `map` is the fd of a map that it refers to; negative if it has none. */
static inline int load(const char *name, int type, int attach_type, int verdict, int map)
{
	struct bpf_insn with_map[] = {
		{ .code = 0x18, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = 0xb7, .imm = verdict },
		{ .code = 0x95 },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	attr.insns = (uintptr_t)(map < 0 ? with_map + 2 : with_map);
	attr.insn_cnt = map < 0 ? 2 : 4;
	attr.license = (uintptr_t)"GPL";
	strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static inline unsigned int id_of(int fd)
{
	struct bpf_prog_info info;
	union bpf_attr attr;

	memset(&info, 0, sizeof(info));
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = fd;
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0 ? 0 : info.id;
}

static inline int link_to(int program, int target, int attach_type)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = program;
	attr.link_create.target_fd = target;
	attr.link_create.attach_type = attach_type;
	return bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
}

static inline int attach(int program, int target, int attach_type)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.target_fd = target;
	attr.attach_bpf_fd = program;
	attr.attach_type = attach_type;
	return bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

static inline int map_of(int type)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 3;
	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static inline int put(int map, int index, int program)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (uintptr_t)&index;
	attr.value = (uintptr_t)&program;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

static inline void said(const char *name, int program, int result)
{
	if (program < 0 || result < 0)
		printf("%s failed %s\n", name, strerror(errno));
	else
		printf("%s %u\n", name, id_of(program));
}

/* Waits until standard input is closed. */
static inline void hold(void)
{
	char rest;

	printf("ready\n");
	fflush(stdout);
	while (read(0, &rest, 1) > 0)
		;
}

#endif
