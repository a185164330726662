// Loads of programs that a class of the guard admits, or that one property keeps from it.
#include <linux/types.h>

#include "report.h"
#include "loads.h"

#include <linux/bpf.h>

#define INSN(c, d, s, o, i) {.code = c, .dst_reg = d, .src_reg = s, .off = o, .imm = i}
#define MOV(d, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, imm)
#define CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define MAP_BY(source, map) INSN(BPF_LD | BPF_IMM | BPF_DW, 1, source, 0, map), INSN(0, 0, 0, 0, 0)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define COUNT(...) (sizeof((struct bpf_insn[]){__VA_ARGS__}) / sizeof(struct bpf_insn))
#define INSNS(...) .insns = {__VA_ARGS__}, .count = COUNT(__VA_ARGS__)
#define GPL .license = "GPL"

#define DEVICE .type = BPF_PROG_TYPE_CGROUP_DEVICE, GPL
#define SKB .type = BPF_PROG_TYPE_CGROUP_SKB, GPL
#define LOOKUP                                                                                                         \
	INSNS(INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 0), INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),            \
	      INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4), MAP_BY(BPF_PSEUDO_MAP_FD, 0),                            \
	      CALL(BPF_FUNC_map_lookup_elem), MOV(0, 1), EXIT)
#define ONE_MAP(map_type, value) .maps = {{.type = map_type, .key_size = 4, .value_size = value, .max_entries = 4}}, .map_count = 1
#define NAMES_MAP(source) INSNS(MAP_BY(source, 0), MOV(0, 1), EXIT)

static const struct {
	struct program program;
	bool indexed;
	uint32_t core_relos;
} CASES[] = {
	{{.name = "device", DEVICE, INSNS(MOV(0, 1), EXIT)}},
	{{.name = "device, attach type", DEVICE, .attach_type = BPF_CGROUP_DEVICE, INSNS(MOV(0, 0), EXIT)}},
	{{.name = "device, another attach type", DEVICE, .attach_type = BPF_CGROUP_SYSCTL, INSNS(MOV(0, 0), EXIT)}},
	{{.name = "device, 4 instructions", DEVICE, INSNS(MOV(0, 2), MOV(0, 3), MOV(0, 1), EXIT)}},
	{{.name = "device, 5 instructions", DEVICE, INSNS(MOV(0, 2), MOV(0, 3), MOV(0, 4), MOV(0, 1), EXIT)}},
	{{.name = "device, helper", DEVICE, INSNS(CALL(BPF_FUNC_get_prandom_u32), MOV(0, 1), EXIT)}},
	{{.name = "device, map", DEVICE, NAMES_MAP(BPF_PSEUDO_MAP_FD), ONE_MAP(BPF_MAP_TYPE_ARRAY, 8)}},
	{{.name = "device, flags", DEVICE, .flags = BPF_F_ANY_ALIGNMENT, INSNS(MOV(0, 1), EXIT)}},
	{{.name = "device, core_relos", DEVICE, INSNS(MOV(0, 1), EXIT)}, .core_relos = 1},
	{{.name = "device, kfunc", DEVICE, INSNS(INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, 1), MOV(0, 1), EXIT)}},
	{{.name = "device, call by register", DEVICE, INSNS(INSN(BPF_JMP | BPF_CALL | BPF_X, 0, 0, 0, 0), EXIT)}},
	{{.name = "device, BTF id", DEVICE, INSNS(MAP_BY(BPF_PSEUDO_BTF_ID, 1), MOV(0, 1), EXIT)}},
	{{.name = "firewall", SKB, LOOKUP, ONE_MAP(BPF_MAP_TYPE_HASH, 8)}},
	{{.name = "firewall, egress", SKB, .attach_type = BPF_CGROUP_INET_EGRESS, LOOKUP, ONE_MAP(BPF_MAP_TYPE_ARRAY, 8)}},
	{{.name = "firewall, map by its index", SKB, NAMES_MAP(BPF_PSEUDO_MAP_IDX), ONE_MAP(BPF_MAP_TYPE_ARRAY, 8)}, .indexed = true},
	{{.name = "firewall, map of programs", SKB, NAMES_MAP(BPF_PSEUDO_MAP_FD), ONE_MAP(BPF_MAP_TYPE_PROG_ARRAY, 4)}},
	{{.name = "firewall, map of programs by its index", SKB, NAMES_MAP(BPF_PSEUDO_MAP_IDX), ONE_MAP(BPF_MAP_TYPE_PROG_ARRAY, 4)},
	 .indexed = true},
	{{.name = "firewall, another helper", SKB, INSNS(CALL(BPF_FUNC_get_prandom_u32), MOV(0, 1), EXIT)}},
	{{.name = "firewall, masked helper", SKB, INSNS(CALL(BPF_FUNC_ktime_get_ns), MOV(0, 1), EXIT)}},
	{{.name = "masked type", .type = BPF_PROG_TYPE_SCHED_ACT, GPL, INSNS(MOV(0, 0), EXIT)}},
	{{.name = "type without a class", .type = BPF_PROG_TYPE_SCHED_CLS, GPL, INSNS(MOV(0, 0), EXIT)}},
	{{.name = "type that no class has", .type = BPF_PROG_TYPE_KPROBE, GPL, INSNS(MOV(0, 0), EXIT)}},
};

// A program of a class that uses a map of the guard.
static int load_with_status(void)
{
	struct load load = {.program = {SKB, NAMES_MAP(BPF_PSEUDO_MAP_FD)}};
	int fd = open_guard_map(GUARD_STATUS, BPF_F_RDONLY);

	return pass_program(&load, &fd, (struct bpf_insn[]){MAP_BY(BPF_PSEUDO_MAP_FD, fd), MOV(0, 1), EXIT});
}

int main(void)
{
	struct guard_status before;

	for (uint32_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct load load = {.program = CASES[i].program, .indexed = CASES[i].indexed,
				    .core_relos = CASES[i].core_relos};

		before = read_status();
		report(load.program.name, load_program(&load), &before);
	}
	before = read_status();
	report("firewall, map of the guard", load_with_status(), &before);
	return 0;
}
