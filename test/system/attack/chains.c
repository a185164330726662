// chains NAME: what programs become by what is done after each was allowed. SOCKET is where `passing serve` is.
//   tail   a chain of tail calls, with members that were allowed, denied, found by id, and passed over a socket
//   bind   BPF_PROG_BIND_MAP
#include "outside.h"

static int program_array(unsigned entries)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = entries,
			       .map_name = "jumps"};

	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

// Goes on as the program at an index; returns 7 where there is none.
static int jumping(int map, int index)
{
	struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
		{},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = index},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call},
		MOV0(7),
		EXIT,
	};

	return load(insns, 6);
}

static long set_program(int map, uint32_t key, int prog)
{
	return set_element(map, key, &prog);
}

static void tail(void)
{
	int jumps = program_array(3), first = jumping(jumps, 0), second = jumping(jumps, 1), good = load(GOOD, 2), bad, passed;
	union bpf_attr attr;
	int map;

	SAY("first", first);
	say_run("alone", first);
	SAY("add itself", set_program(jumps, 1, first));
	SAY("add second", set_program(jumps, 0, second));
	SAY("add an allowed one", set_program(jumps, 1, good));
	say_run("chain", first);
	bad = load(BAD, 2);
	SAY("load a denied one", bad);
	SAY("add what is no program", set_program(jumps, 1, bad));
	attr = (union bpf_attr){.prog_id = atoi(getenv("OUTSIDE"))};
	SAY("find one of outside", bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)));
	fill(&attr, GOOD, 2);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	SAY("add one of another type", set_program(jumps, 1, bpf(BPF_PROG_LOAD, &attr, sizeof(attr))));
	attr = (union bpf_attr){.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .key_size = 4, .value_size = 4, .max_entries = 1, .inner_map_fd = jumps};
	map = bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	SAY("an array of such maps", map);
	say_run("chain", first);
	passed = pass_fd(socket_at(getenv("SOCKET"), 0), -1);
	SAY("add one that was passed", set_program(jumps, 1, passed));
	say_run("chain", first);
}

static int ids(int prog, uint32_t *found)
{
	struct bpf_prog_info info = {.nr_map_ids = 4, .map_ids = (uintptr_t)found};
	union bpf_attr attr = {.info = {.bpf_fd = prog, .info_len = sizeof(info), .info = (uintptr_t)&info}};

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ? -1 : (int)info.nr_map_ids;
}

static void bind_map(void)
{
	int prog = load(GOOD, 2), map = array(8), again;
	struct bpf_prog_info info;
	union bpf_attr attr = {.prog_bind_map = {.prog_fd = prog, .map_fd = map}};
	uint32_t found[4];

	printf("maps: %d\n", ids(prog, found));
	SAY("bind", bpf(BPF_PROG_BIND_MAP, &attr, sizeof(attr)));
	printf("maps: %d\n", ids(prog, found));
	prog_info(prog, &info);
	attr = (union bpf_attr){.prog_id = info.id};
	again = bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
	SAY("open it again", again);
	say_run("run", again);
	printf("tag: %016llx\n", (unsigned long long)__builtin_bswap64(tag_of(again)));
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "tail"))
		return tail(), 0;
	if (argc > 1 && !strcmp(argv[1], "bind"))
		return bind_map(), 0;
	return 2;
}
