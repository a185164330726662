#include "bpf.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/types.h>

#include "../guard/interface.h"

uint64_t address(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

long bpf_call(int command, union bpf_attr *attr, size_t size)
{
	return syscall(SYS_bpf, command, attr, size);
}

int load_canary(void)
{
	static const struct bpf_insn insns[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = GUARD_CANARY_VALUE},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insn_cnt = 2;
	attr.insns = address(insns);
	attr.license = address("GPL");
	return (int)bpf_call(BPF_PROG_LOAD, &attr, sizeof(attr));
}

uint32_t next_id(int next_id_command, uint32_t id)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.start_id = id;
	return bpf_call(next_id_command, &attr, sizeof(attr)) == 0 ? attr.next_id : 0;
}

uint32_t last_id(int next_id_command)
{
	uint32_t last = 0;
	for (uint32_t at = next_id(next_id_command, 0); at != 0; at = next_id(next_id_command, at))
		last = at;
	return last;
}

int read_element(int map, uint32_t key, void *value)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = address(&key);
	attr.value = address(value);
	return (int)bpf_call(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
}

int write_element(int map, uint32_t key, const void *value)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = address(&key);
	attr.value = address(value);
	return (int)bpf_call(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}
