// Loads programs in a guest, with and without a guard, and prints a line for each: its name, the errno, and the reason
// that the guard counted. `loads describe` prints what a list must say of the programs.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loads.h"
#include "report.h"

static const struct program *find(const char *name)
{
	for (uint32_t i = 0; i < PROGRAM_COUNT; i++)
		if (strcmp(PROGRAMS[i].name, name) == 0)
			return &PROGRAMS[i];
	abort();
}

static void change_insn(struct load *load) { load->program.insns[3].imm = 5; }
static void change_type(struct load *load) { load->program.type = BPF_PROG_TYPE_SCHED_CLS; }
static void change_attach_type(struct load *load) { load->program.attach_type = BPF_CGROUP_INET_INGRESS; }
static void change_target(struct load *load) { load->program.target = "bpf_fentry_test2"; }
static void change_flags(struct load *load) { load->program.flags = BPF_F_ANY_ALIGNMENT; }
static void change_license(struct load *load) { load->program.license = "Proprietary"; }
static void add_core_relos(struct load *load) { load->core_relos = 1; }
static void add_fd_array(struct load *load) { load->indexed = true; load->fd_array_cnt = 2; }
static void change_offset(struct load *load) { load->program.insns[1].imm = 12; }
static void use_one_map(struct load *load) { load->program.insns[6].imm = 0; }
static void double_map(struct load *load) { load->doubled = true; }
static void thread(struct load *load) { load->threaded = true; }
static void index_maps(struct load *load) { load->indexed = true; }
static void change_map_type(struct load *load) { load->program.maps[1].type = BPF_MAP_TYPE_LRU_HASH; }
static void change_value_size(struct load *load) { load->program.maps[1].value_size = 16; }
static void change_entries(struct load *load) { load->program.maps[1].max_entries = 17; }
static void double_entries(struct load *load) { load->program.maps[1].max_entries = 32; }
static void change_map_flags(struct load *load) { load->program.maps[1].flags = BPF_F_NO_PREALLOC; }
static void thaw(struct load *load) { load->program.maps[0].frozen = false; }
static void let_programs_write(struct load *load) { load->program.maps[0].flags = 0; }
static void change_inner(struct load *load) { load->program.maps[0].inner_value_size = 16; }
static void name_module(struct load *load) { load->program.insns[1].imm = 1; }
static void change_last_reference(struct load *load) { load->program.insns[32].imm = 2; }

static const struct {
	const char *name, *program;
	void (*change)(struct load *);
} CASES[] = {
	{"listed", "maps", NULL},
	{"instruction", "maps", change_insn},
	{"program type", "maps", change_type},
	{"program flags", "maps", change_flags},
	{"licence", "maps", change_license},
	{"core_relos", "maps", add_core_relos},
	{"offset into a map", "maps", change_offset},
	{"one map for two", "maps", use_one_map},
	{"one map by two fds", "maps", double_map},
	{"map type", "maps", change_map_type},
	{"value size", "maps", change_value_size},
	{"maximum of entries", "maps", change_entries},
	{"map flags", "maps", change_map_flags},
	{"contents that are not frozen", "maps", thaw},
	{"contents that programs may write", "maps", let_programs_write},
	{"with a thread", "maps", thread},
	{"alternative, small", "small", NULL},
	{"alternative, large", "large", NULL},
	{"alternative, of another program", "maps", double_entries},
	{"alternative, neither", "small", change_entries},
	{"reference in dead code", "dead", NULL},
	{"reference in dead code, with a thread", "dead", thread},
	{"indexes", "indexed", index_maps},
	{"indexes with fd_array_cnt", "indexed", add_fd_array},
	{"inner map", "outer", NULL},
	{"inner map of another size", "outer", change_inner},
	{"many references", "references", NULL},
	{"many references, with a thread", "references", thread},
	{"many references, the last one to another map", "references", change_last_reference},
	{"variable of a module", "btf variable", name_module},
	{"attach type", "cgroup", NULL},
	{"another attach type", "cgroup", change_attach_type},
	{"attach target", "fentry", NULL},
	{"another attach target", "fentry", change_target},
	{"fmod_ret elsewhere", "fmod_ret", NULL},
	{"lsm elsewhere", "lsm", NULL},
	{"lsm_cgroup elsewhere", "lsm_cgroup", NULL},
	{"sysctl", "sysctl", NULL},
	{"sysctl that sets the return value", "sysctl that sets the return value", NULL},
};

static void run_cases(void)
{
	for (uint32_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct load load = {.program = *find(CASES[i].program)};
		struct guard_status before = read_status();
		int fd;

		if (CASES[i].change)
			CASES[i].change(&load);
		fd = load_program(&load);
		report(CASES[i].name, fd, &before);
		if (fd >= 0)
			close(fd);
	}
}

// A listed program loads another one, as a light skeleton does.
static void run_nested(const char *name, int value)
{
	struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value}, {.code = BPF_JMP | BPF_EXIT}};
	struct load load = {.program = *find("nested")};
	struct guard_status before;
	union bpf_attr attr = {0};

	memcpy(load.program.maps[0].contents, insns, sizeof(insns));
	memcpy(load.program.maps[0].contents + sizeof(insns), "GPL", 4);
	attr.test.prog_fd = load_program(&load);
	before = read_status();
	bpf(BPF_PROG_TEST_RUN, &attr);
	report(name, (int)attr.test.retval, &before);
}

// A listed program gets the guard's status for a map of its own: the fd is only for reading, the program could write.
static void run_with_status(void)
{
	struct load load = {.program = *find("status")};
	struct guard_status before = read_status();
	struct prepared prepared;

	report("map of its own", load_program(&load), &before);
	prepare_program(&load, &prepared);
	prepared.insns[0].imm = open_guard_map(GUARD_STATUS, BPF_F_RDONLY);
	before = read_status();
	report("map of the guard", pass_program(&load, prepared.fds, prepared.insns), &before);
	release_program(&load, &prepared);
}

// Tasks that load a listed program at the same time do not get into each other's way.
static void run_parallel(int tasks, int loads)
{
	int failed = 0, status;

	for (int task = 0; task < tasks; task++) {
		if (fork() != 0)
			continue;
		for (int i = 0; i < loads; i++) {
			struct load load = {.program = *find("maps"), .threaded = task & 1};
			int fd = load_program(&load);

			failed += fd < 0;
			close(fd);
		}
		_exit(failed > 100 ? 100 : failed);
	}
	while (wait(&status) > 0)
		failed += WEXITSTATUS(status);
	printf("failed of %d parallel loads: %d\n", tasks * loads, failed);
}

// Each byte of the read-only contents changed by itself: the ones that are not denied.
static void run_contents(void)
{
	printf("open bytes:");
	for (uint32_t byte = 0; byte < 72; byte++) {
		struct load load = {.program = *find("maps")};
		int fd;

		load.program.maps[0].contents[byte] ^= 0x80;
		fd = load_program(&load);
		if (fd >= 0)
			printf(" %u", byte);
		close(fd);
	}
	printf("\n");
}

// `r0 = 0` as often as is said, and an exit.
static int load_plain(uint32_t count)
{
	struct bpf_insn *insns = calloc(count + 1, sizeof(*insns));
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .insns = (uint64_t)insns, .insn_cnt = count + 1,
			       .license = (uint64_t)"GPL"};

	for (uint32_t i = 0; i < count; i++)
		insns[i] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K};
	insns[count] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	return bpf(BPF_PROG_LOAD, &attr);
}

static void run_lengths(void)
{
	printf("loaded lengths:");
	for (uint32_t count = 1; count < 40; count++) {
		int fd = load_plain(count);

		if (fd >= 0)
			printf(" %u", count + 1);
		close(fd);
	}
	printf("\n");
	struct guard_status before = read_status();
	report("99,999 instructions", load_plain(99998), &before);
	before = read_status();
	report("100,000 instructions", load_plain(99999), &before);
}

#define PIN "/sys/fs/bpf/before"

static int pinned(int command, int fd)
{
	union bpf_attr attr = {.pathname = (uint64_t)PIN, .bpf_fd = fd};

	return bpf(command, &attr);
}

// Programs that no list has: one that was loaded before the guard, and one now.
static void run_earlier(void)
{
	struct guard_status before = read_status();
	int fd = pinned(BPF_OBJ_GET, 0);
	struct bpf_prog_info info = {0};
	union bpf_attr ask = {.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uint64_t)&info}};

	report("earlier program by its pin", fd, &before);
	bpf(BPF_OBJ_GET_INFO_BY_FD, &ask);
	close(fd);
	union bpf_attr get = {.prog_id = info.id};
	before = read_status();
	report("earlier program by its id", bpf(BPF_PROG_GET_FD_BY_ID, &get), &before);
	before = read_status();
	report("the same program now", load_plain(50), &before);
}

// A listed program keeps its fds until more programs were admitted than the guard remembers.
static void run_evicted(uint32_t loads)
{
	struct guard_status before;
	int fd = load_plain(1);
	struct bpf_prog_info info = {0};
	union bpf_attr ask = {.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uint64_t)&info}};
	union bpf_attr get = {0};

	bpf(BPF_OBJ_GET_INFO_BY_FD, &ask);
	get.prog_id = info.id;
	before = read_status();
	report("remembered program by its id", bpf(BPF_PROG_GET_FD_BY_ID, &get), &before);
	// kept open: a program that ends makes way for another one at its address
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){loads + 100, loads + 100});
	for (uint32_t i = 0; i < loads; i++)
		if (load_plain(2) < 0)
			printf("not loaded\n");
	before = read_status();
	report("evicted program by its id", bpf(BPF_PROG_GET_FD_BY_ID, &get), &before);
}

static void run_lock(void)
{
	union bpf_attr attr = {0};
	struct guard_status before;

	if (fork() == 0) {
		setuid(65534);
		printf("lock by a user: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_LOCK, &attr)));
		exit(0);
	}
	wait(NULL);
	before = read_status();
	report("listed program before the lock", load_plain(1), &before);
	printf("lock by root: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_LOCK, &attr)));
	before = read_status();
	report("listed program after the lock", load_plain(1), &before);
	printf("new list: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_LIST, &attr)));
	printf("another latch: %s\n", strerrorname_np(-bpf(GUARD_COMMAND_SEAL, &attr)));
}

static int load_returning(uint32_t type, uint32_t attach_type, const char *target, int value, int target_fd)
{
	struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value}, {.code = BPF_JMP | BPF_EXIT}};
	union bpf_attr attr = {.prog_type = type, .expected_attach_type = attach_type, .insns = (uint64_t)insns, .insn_cnt = 2,
			       .license = (uint64_t)"GPL"};

	attr.attach_btf_id = target_fd ? 1 : btf_id(target);
	attr.attach_prog_fd = target_fd;
	return bpf(BPF_PROG_LOAD, &attr);
}

static void try_returning(const char *kind, uint32_t type, uint32_t attach_type, const char *target, const char *hook, int value)
{
	struct guard_status before = read_status();
	char name[128];
	int fd;

	snprintf(name, sizeof(name), "%s %d %s", kind, value, hook);
	fd = load_returning(type, attach_type, target, value, 0);
	report(name, fd, &before);
	if (fd >= 0)
		close(fd);
}

// All programs that could change what a hook returns. Arguments: pairs of a hook and the function that calls it.
static void run_never(char **words)
{
	for (; words[0] && words[1]; words += 2) {
		char function[64], hook[64];

		snprintf(function, sizeof(function), "security_%s", words[1]);
		snprintf(hook, sizeof(hook), "bpf_lsm_%s", words[0]);
		for (int value = -1; value <= 1; value++)
			try_returning("fmod_ret", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, function, words[0], value);
		try_returning("lsm", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, hook, words[0], 0);
		for (int value = 0; value <= 1; value++)
			try_returning("lsm_cgroup", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, hook, words[0], value);
	}
}

// Programs that attach to a program of the guard.
static void run_on_guard(void)
{
	union bpf_attr attr = {0};

	while (bpf(BPF_PROG_GET_NEXT_ID, &attr) == 0) {
		union bpf_attr get = {.prog_id = attr.next_id};
		int fd = bpf(BPF_PROG_GET_FD_BY_ID, &get);
		static const uint32_t TYPES[] = {BPF_TRACE_FENTRY, BPF_TRACE_FEXIT};

		attr.start_id = attr.next_id;
		for (int i = 0; i < 2; i++) {
			struct guard_status before = read_status();
			int result = load_returning(BPF_PROG_TYPE_TRACING, TYPES[i], NULL, 0, fd);

			report(i ? "fexit on a program of the guard" : "fentry on a program of the guard", result, &before);
		}
		struct guard_status before = read_status();
		report("freplace on a program of the guard", load_returning(BPF_PROG_TYPE_EXT, 0, NULL, 0, fd), &before);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "describe") == 0)
		describe_programs();
	else if (strcmp(what, "ids") == 0)
		for (int i = 2; i < argc; i++)
			printf("id %s %u\n", argv[i], btf_id(argv[i]));
	else if (strcmp(what, "run") == 0) {
		run_cases();
		run_contents();
		run_lengths();
		run_parallel(8, 50);
		run_with_status();
		run_nested("listed program, from BPF", 0);
		run_nested("another program, from BPF", 1);
	} else if (strcmp(what, "never") == 0)
		run_never(argv + 2);
	else if (strcmp(what, "earlier") == 0)
		run_earlier();
	else if (strcmp(what, "before") == 0)
		return pinned(BPF_OBJ_PIN, load_plain(50)) < 0;
	else if (strcmp(what, "evicted") == 0 && argc > 2)
		run_evicted(atoi(argv[2]));
	else if (strcmp(what, "lock") == 0)
		run_lock();
	else if (strcmp(what, "race") == 0) {
		run_race(find("indexed"), 300);
		run_race(find("named"), 300);
	} else if (strcmp(what, "on-guard") == 0)
		run_on_guard();
	else
		return 2;
	return 0;
}
