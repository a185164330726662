/* bpf(2), without libbpf. Each function returns what the system call returns: -1 and errno for a failure. */
#pragma once
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

long bpf_call(int command, union bpf_attr *attr, size_t size);
/* A program of two instructions that no list has: `r0 = GUARD_CANARY_VALUE; exit`, of type socket filter. */
int load_canary(void);
/* The id after this one, or 0. */
uint32_t next_id(int next_id_command, uint32_t id);
/* The greatest id that programs, maps or links have: BPF_PROG_GET_NEXT_ID and the like. */
uint32_t last_id(int next_id_command);
int read_element(int map, uint32_t key, void *value);
int write_element(int map, uint32_t key, const void *value);
uint64_t address(const void *pointer);
