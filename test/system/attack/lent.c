// lent NAME: a task with few capabilities, or none, and what it may do all the same. Prints what came of each try.
#include "bpf.h"
#include "capabilities.h"
#include <sys/resource.h>

static void say(const char *what, long result)
{
	if (result >= 0)
		printf("%s: done\n", what);
	else
		printf("%s: errno %d\n", what, errno);
}

static long load_as(unsigned type, const void *insns, unsigned flags)
{
	union bpf_attr attr;

	fill(&attr, insns, 2);
	attr.prog_type = type;
	attr.prog_flags = flags;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static long map_of(unsigned type)
{
	union bpf_attr attr = {.map_type = type, .key_size = 4, .value_size = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_HASH ? 8 : 4, .max_entries = 1};

	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

// The fewest capabilities with which the kernel does not say EPERM: of each type, as `kind type mask`.
static void needs(void)
{
	const uint64_t sets[] = {CAP(BPF), CAP(BPF) | CAP(NET_ADMIN), CAP(BPF) | CAP(PERFMON), CAP(BPF) | CAP(NET_ADMIN) | CAP(PERFMON)};

	for (int kind = 0; kind < 2; kind++)
		for (unsigned type = 1; type < (kind ? 34 : 33); type++)
			for (int i = 0; i < 4; i++) {
				limit_to(sets[i]);
				long result = kind ? map_of(type) : load_as(type, GOOD, 0);
				if (result < 0 && errno == EPERM)
					continue;
				printf("%s %u %llx\n", kind ? "map" : "program", type, (unsigned long long)sets[i]);
				close(result);
				break;
			}
}

// Pointers leak to whoever may trace, and to nobody else.
static void pointer(void)
{
	static const struct bpf_insn leak[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 10}, EXIT};
	const struct {
		const char *name;
		uint64_t set;
	} tasks[] = {{"CAP_BPF", CAP(BPF)}, {"CAP_BPF and CAP_NET_ADMIN", CAP(BPF) | CAP(NET_ADMIN)}, {"nothing", 0}};

	for (int i = 0; i < 3; i++) {
		char what[100];

		limit_to(tasks[i].set);
		snprintf(what, sizeof(what), "a pointer with %s", tasks[i].name);
		say(what, load_as(BPF_PROG_TYPE_SOCKET_FILTER, leak, 0));
		snprintf(what, sizeof(what), "a packet filter with %s", tasks[i].name);
		say(what, load_as(BPF_PROG_TYPE_SOCKET_FILTER, GOOD, 0));
		snprintf(what, sizeof(what), "what the policy refuses with %s", tasks[i].name);
		say(what, load_as(BPF_PROG_TYPE_SOCKET_FILTER, BAD, 0));
	}
}

// Everything that may be lent, to a task that has nothing, root or not.
static void nothing(void)
{
	if (getenv("USER_ID") && setuid(atoi(getenv("USER_ID"))))
		perror("setuid");
	limit_to(0);
	say("socket_filter", load_as(BPF_PROG_TYPE_SOCKET_FILTER, GOOD, 0));
	say("xdp", load_as(BPF_PROG_TYPE_XDP, GOOD, 0));
	say("tracepoint", load_as(BPF_PROG_TYPE_TRACEPOINT, GOOD, 0));
	say("refused", load_as(BPF_PROG_TYPE_XDP, BAD, 0));
	say("syscall", load_as(BPF_PROG_TYPE_SYSCALL, GOOD, BPF_F_SLEEPABLE));
	say("array", map_of(BPF_MAP_TYPE_ARRAY));
	say("devmap", map_of(BPF_MAP_TYPE_DEVMAP));
	say("module", syscall(SYS_finit_module, 0, "", 0));
}

// Maps: what a program only reads, what it may write, and one by a read-only fd, which lets it be read alone.
static void maps(void)
{
	struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_VALUE, .dst_reg = 1},
		{},
		{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_VALUE, .dst_reg = 2},
		{},
		MOV0(2),
		EXIT,
	};
	union bpf_attr create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1, .map_name = "rules"};
	uint64_t value = 7, seven = 7;
	uint32_t key = 0;

	int writable = bpf(BPF_MAP_CREATE, &create, sizeof(create));
	create.map_flags = BPF_F_RDONLY_PROG;
	int rules = bpf(BPF_MAP_CREATE, &create, sizeof(create));
	create.map_flags = BPF_F_RDONLY_PROG | BPF_F_RDONLY;
	int closed = bpf(BPF_MAP_CREATE, &create, sizeof(create));
	union bpf_attr update = {.map_fd = rules, .key = (uintptr_t)&key, .value = (uintptr_t)&seven};

#define WRITE(what, fd) (update.map_fd = (fd), say(what, bpf(BPF_MAP_UPDATE_ELEM, &update, sizeof(update))))
	WRITE("write before", rules);
	insns[0].imm = rules, insns[2].imm = writable;
	say("load", load(insns, 6));
	WRITE("write to what it reads", rules);
	WRITE("write to what it writes", writable);
	update.map_fd = rules, update.value = (uintptr_t)&value;
	say("read", bpf(BPF_MAP_LOOKUP_ELEM, &update, sizeof(update)));
	update.value = (uintptr_t)&seven;
	printf("value: %llu\n", (unsigned long long)value);
	say("load again", load(insns, 6));
	insns[0].imm = closed;
	say("load with one that nobody may write", load(insns, 6));
}

static const struct {
	const char *name;
	void (*run)(void);
} TRIES[] = {{"needs", needs}, {"pointer", pointer}, {"nothing", nothing}, {"maps", maps}};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(TRIES) / sizeof(*TRIES); i++)
		if (argc > 1 && !strcmp(TRIES[i].name, argv[1]))
			return TRIES[i].run(), 0;
	return 2;
}
