/* bpf(2) without a library: an attack decides about each byte that the kernel gets. */
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOV(reg, value) ((struct bpf_insn){BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value})
#define MOV_REG(reg, from) ((struct bpf_insn){BPF_ALU64 | BPF_MOV | BPF_X, reg, from, 0, 0})
#define ADD(reg, value) ((struct bpf_insn){BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, value})
#define CALL(helper) ((struct bpf_insn){BPF_JMP | BPF_CALL, 0, 0, 0, helper})
#define STORE(size, reg, at, value) ((struct bpf_insn){BPF_ST | BPF_MEM | size, reg, 0, at, value})
#define STORE_REG(size, reg, from, at) ((struct bpf_insn){BPF_STX | BPF_MEM | size, reg, from, at, 0})
#define LOAD(size, reg, from, at) ((struct bpf_insn){BPF_LDX | BPF_MEM | size, reg, from, at, 0})
#define JUMP_IF_ZERO(reg, over) ((struct bpf_insn){BPF_JMP | BPF_JEQ | BPF_K, reg, 0, over, 0})
#define JUMP_UNLESS(reg, value, over) ((struct bpf_insn){BPF_JMP | BPF_JNE | BPF_K, reg, 0, over, value})
#define MAP_FD(reg, fd) \
	((struct bpf_insn){BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_FD, 0, fd}), ((struct bpf_insn){0})
#define EXIT ((struct bpf_insn){BPF_JMP | BPF_EXIT, 0, 0, 0, 0})

/* What a load says beside its instructions; unused members are 0. */
struct load {
	uint32_t type;
	uint32_t attach_type;
	uint32_t attach_btf_id;
	uint32_t attach_prog_fd;
	uint32_t flags;
	uint32_t token_fd;
};

/* All of these return what the system call does, or -1 and errno. */
int bpf(unsigned int command, union bpf_attr *attr, unsigned int size);
int load(const struct load *how, const struct bpf_insn *code, size_t count);
#define LOAD_CODE(how, ...) \
	load(how, (struct bpf_insn[]){__VA_ARGS__}, \
	     sizeof((struct bpf_insn[]){__VA_ARGS__}) / sizeof(struct bpf_insn))
int create_map(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags);
int attach(int cgroup, int program, uint32_t attach_type, uint32_t flags);
int detach(int cgroup, int program, uint32_t attach_type);
int link_cgroup(int cgroup, int program, uint32_t attach_type);
/* `command` is one of the three commands *_GET_FD_BY_ID. */
int fd_by_id(unsigned int command, uint32_t id, uint32_t open_flags);
/* The first map of a program. */
int map_of(int program);
/* The next id of a *_GET_NEXT_ID command, or 0. */
uint32_t next_id(unsigned int command, uint32_t after);
/* Programs attached to a cgroup by itself: their number, or -1; the ids of at most `count`. */
int query(int cgroup, uint32_t attach_type, uint32_t *ids, uint32_t count);

/* The id of a function in the BTF of the running kernel, or 0. */
uint32_t kernel_function(const char *name);
/* The same of a struct. */
uint32_t kernel_struct(const char *name);
