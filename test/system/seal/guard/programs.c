// The programs that the list of the tests has.
#include <linux/types.h>

#include "../../../../src/seal/guard/interface.h"
#include "loads.h"

#include <linux/bpf.h>
#include <stddef.h>

#define INSN(c, d, s, o, i) {.code = c, .dst_reg = d, .src_reg = s, .off = o, .imm = i}
#define MAP_FD(d, map) INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_FD, 0, map), INSN(0, 0, 0, 0, 0)
#define MAP_VALUE(d, map, offset) INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_VALUE, 0, map), INSN(0, 0, 0, 0, offset)
#define MOV(d, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, imm)
#define MOV_REG(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD(d, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, imm)
#define ADD_REG(d, s) INSN(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define LOAD_WORD(d, s, off) INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, off, 0)
#define STORE_WORD(d, off, imm) INSN(BPF_ST | BPF_MEM | BPF_W, d, 0, off, imm)
#define STORE(d, off, imm) INSN(BPF_ST | BPF_MEM | BPF_DW, d, 0, off, imm)
#define STORE_REG(d, s, off) INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, off, 0)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define COUNT(...) (sizeof((struct bpf_insn[]){__VA_ARGS__}) / sizeof(struct bpf_insn))
#define INSNS(...) .insns = {__VA_ARGS__}, .count = COUNT(__VA_ARGS__)

#define SOCKET_FILTER .type = BPF_PROG_TYPE_SOCKET_FILTER, .license = "GPL"
// The settings of the first program cross the border of a block of SHA-256.
#define RODATA                                                                                                         \
	{                                                                                                              \
		.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 72, .max_entries = 1, .flags = BPF_F_RDONLY_PROG,  \
		.frozen = true, .contents = "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXY"        \
	}
#define HASH(entries) {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = entries}

// Looks up a key in the second map, between two loads from the first one.
#define LOOKUP(value)                                                                                                  \
	INSNS(MAP_VALUE(6, 0, 8), LOAD_WORD(7, 6, 0), STORE_WORD(10, -4, value), MOV_REG(2, 10), ADD(2, -4), MAP_FD(1, 1), \
	      CALL(BPF_FUNC_map_lookup_elem), MAP_VALUE(6, 0, 0), LOAD_WORD(0, 6, 0), ADD_REG(0, 7), EXIT)

#define WRITABLE {.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 72, .max_entries = 1}
#define VALUE_BY(source, d, map) INSN(BPF_LD | BPF_IMM | BPF_DW, d, source, 0, map), INSN(0, 0, 0, 0, 0)
#define BETWEEN(source)                                                                                                \
	INSNS(VALUE_BY(source, 6, 0), LOAD_WORD(7, 6, 0), VALUE_BY(source, 6, 1), LOAD_WORD(8, 6, 0), VALUE_BY(source, 6, 0), \
	      LOAD_WORD(0, 6, 0), EXIT)

#define RETURNS(what, program_type, attach, function, value)                                                           \
	{                                                                                                              \
		.name = what, .type = program_type, .attach_type = attach, .license = "GPL", .target = function,           \
		INSNS(MOV(0, value), EXIT)                                                                             \
	}

const struct program PROGRAMS[] = {
	{.name = "maps", SOCKET_FILTER, LOOKUP(0), .maps = {RODATA, HASH(16)}, .map_count = 2, .settings = {{4, 4}, {60, 8}}},
	{.name = "small", SOCKET_FILTER, LOOKUP(1), .maps = {RODATA, HASH(16)}, .map_count = 2},
	{.name = "large", SOCKET_FILTER, LOOKUP(1), .maps = {RODATA, HASH(32)}, .map_count = 2},
	// the second map is only named in code that is never reached
	{.name = "dead", SOCKET_FILTER,
	 INSNS(MAP_VALUE(6, 0, 0), LOAD_WORD(0, 6, 0), MOV(7, 0), INSN(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 2, 0), MAP_FD(1, 1), EXIT),
	 .maps = {RODATA, HASH(16)}, .map_count = 2},
	// returns the first word of the first map, which it names before and after the second one
	{.name = "indexed", SOCKET_FILTER, BETWEEN(BPF_PSEUDO_MAP_IDX_VALUE), .maps = {RODATA, WRITABLE}, .map_count = 2},
	{.name = "named", SOCKET_FILTER, BETWEEN(BPF_PSEUDO_MAP_VALUE), .maps = {RODATA, WRITABLE}, .map_count = 2},
	// loads the program that is in its map: what a light skeleton does
	{.name = "nested", .type = BPF_PROG_TYPE_SYSCALL, .flags = BPF_F_SLEEPABLE, .license = "GPL",
	 INSNS(STORE(10, -72, 0), STORE(10, -64, 0), STORE(10, -56, 0), STORE(10, -48, 0), STORE(10, -40, 0), STORE(10, -32, 0),
	       STORE(10, -24, 0), STORE(10, -16, 0), STORE(10, -8, 0), STORE_WORD(10, -72, BPF_PROG_TYPE_SOCKET_FILTER),
	       STORE_WORD(10, -68, 2), MAP_VALUE(1, 0, 0), STORE_REG(10, 1, -64), ADD(1, 16), STORE_REG(10, 1, -56),
	       MOV(1, BPF_PROG_LOAD), MOV_REG(2, 10), ADD(2, -72), MOV(3, 72), CALL(BPF_FUNC_sys_bpf), EXIT),
	 .maps = {WRITABLE}, .map_count = 1},
	// a map of the size of the guard's status
	{.name = "status", SOCKET_FILTER, INSNS(MAP_FD(1, 0), MOV(0, 0), EXIT),
	 .maps = {{.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = sizeof(struct guard_status), .max_entries = 1}},
	 .map_count = 1},
	// other instructions than "status": with two entries for one digest, a failure in the comparison with the first is
	// harmless
	{.name = "outer", SOCKET_FILTER, INSNS(MAP_FD(1, 0), MOV(0, 1), EXIT),
	 .maps = {{.type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .key_size = 4, .value_size = 4, .max_entries = 1, .inner_value_size = 8}},
	 .map_count = 1},
	// seventeen references: more than two blocks of the digest of references
	{.name = "references", SOCKET_FILTER,
	 INSNS(MAP_VALUE(1, 0, 0), MAP_VALUE(1, 0, 4), MAP_VALUE(1, 0, 8), MAP_VALUE(1, 0, 12), MAP_VALUE(1, 0, 16),
	       MAP_VALUE(1, 0, 20), MAP_VALUE(1, 0, 24), MAP_VALUE(1, 0, 28), MAP_VALUE(1, 0, 32), MAP_FD(1, 1),
	       MAP_VALUE(1, 0, 36), MAP_VALUE(1, 0, 40), MAP_VALUE(1, 0, 44), MAP_VALUE(1, 0, 48), MAP_FD(1, 2),
	       MAP_VALUE(1, 0, 52), MAP_FD(1, 1), MOV(0, 0), EXIT),
	 .maps = {RODATA, HASH(16), HASH(16)}, .map_count = 3},
	{.name = "btf variable", SOCKET_FILTER,
	 INSNS(INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_BTF_ID, 0, 1), INSN(0, 0, 0, 0, 0), MOV(0, 0), EXIT)},
	{.name = "cgroup", .type = BPF_PROG_TYPE_CGROUP_SKB, .attach_type = BPF_CGROUP_INET_EGRESS, .license = "GPL",
	 INSNS(MOV(0, 1), EXIT)},
	RETURNS("fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "bpf_fentry_test1", 0),
	RETURNS("fmod_ret", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "bpf_modify_return_test", 0),
	RETURNS("lsm", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_file_mprotect", 0),
	RETURNS("lsm_cgroup", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, "bpf_lsm_socket_bind", 1),
	RETURNS("sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, NULL, 1),
	{.name = "sysctl that sets the return value", .type = BPF_PROG_TYPE_CGROUP_SYSCTL, .attach_type = BPF_CGROUP_SYSCTL,
	 .license = "GPL", INSNS(MOV(1, 0), CALL(BPF_FUNC_set_retval), MOV(0, 1), EXIT)},
};
const uint32_t PROGRAM_COUNT = sizeof(PROGRAMS) / sizeof(*PROGRAMS);
