// counts: loads that the kernel rejects for their length, for their number of functions or for want of capabilities,
// and some that it takes, by tasks with various capabilities. Prints the errno of each, and the first line of the
// verifier's log.
#include "bpf.h"
#include "capabilities.h"

#define CALL(off) ((struct bpf_insn){.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (off)})
#define MOST 1000002

static struct bpf_insn insns[MOST];

static unsigned straight(unsigned count)
{
	for (unsigned i = 0; i + 1 < count; i++)
		insns[i] = MOV0(0);
	insns[count - 1] = EXIT;
	return count;
}

// A main function that calls so many others, each of two instructions.
static unsigned functions(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		insns[i] = CALL(count - i - 1 + 2 + 2 * i);
	for (unsigned i = 0; i <= count; i++) {
		insns[count + 2 * i] = MOV0(0);
		insns[count + 2 * i + 1] = EXIT;
	}
	return 3 * count + 2;
}

// Each function calls the next one.
static unsigned chain(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		insns[2 * i] = i + 1 < count ? CALL(1) : MOV0(0);
		insns[2 * i + 1] = EXIT;
	}
	return 2 * count;
}

// Begins with a call out of the program, which the kernel meets first.
static unsigned lost(unsigned count)
{
	unsigned length = functions(count);

	insns[0] = CALL(MOST);
	return length;
}

static const struct {
	const char *name;
	unsigned (*write)(unsigned count);
	unsigned count;
} PROGRAMS[] = {
	{"2 instructions", straight, 2},
	{"4,096 instructions", straight, 4096},
	{"4,097 instructions", straight, 4097},
	{"1,000,001 instructions", straight, 1000001},
	{"255 functions beside its own", functions, 255},
	{"256 functions beside its own", functions, 256},
	{"85,000 functions beside its own", functions, 85000},
	{"a chain of 128,000 functions", chain, 128000},
	{"a call out of it, and 256 functions", lost, 256},
};

static const struct {
	const char *name;
	uint64_t set;
} TASKS[] = {
	{"nothing", 0},
	{"CAP_NET_ADMIN", CAP(NET_ADMIN)},
	{"CAP_BPF", CAP(BPF)},
	{"CAP_BPF and CAP_NET_ADMIN", CAP(BPF) | CAP(NET_ADMIN)},
	{"CAP_BPF and CAP_PERFMON", CAP(BPF) | CAP(PERFMON)},
	{"CAP_SYS_ADMIN", CAP(SYS_ADMIN)},
	{"everything", ~0ULL},
};

static const struct {
	const char *name;
	unsigned type, flags;
} KINDS[] = {
	{"socket_filter", BPF_PROG_TYPE_SOCKET_FILTER, 0},
	{"xdp", BPF_PROG_TYPE_XDP, 0},
	{"tracepoint", BPF_PROG_TYPE_TRACEPOINT, 0},
	{"syscall", BPF_PROG_TYPE_SYSCALL, BPF_F_SLEEPABLE},
	{"socket_filter with a flag that is none", BPF_PROG_TYPE_SOCKET_FILTER, 1u << 31},
	{"ext without a target", BPF_PROG_TYPE_EXT, 0},
};

#define EACH(index, table) for (unsigned index = 0; index < sizeof(table) / sizeof(*table); index++)

int main(void)
{
	static char log[1 << 16];

	EACH(p, PROGRAMS) {
		unsigned count = PROGRAMS[p].write(PROGRAMS[p].count);

		EACH(t, TASKS) EACH(k, KINDS) {
			union bpf_attr attr;

			fill(&attr, insns, count);
			attr.prog_type = KINDS[k].type;
			attr.prog_flags = KINDS[k].flags;
			attr.log_level = 1;
			attr.log_size = sizeof(log);
			attr.log_buf = (uintptr_t)log;
			log[0] = 0;
			limit_to(TASKS[t].set);
			int fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
			int result = fd < 0 ? errno : 0;

			limit_to(~0ULL);
			close(fd);
			printf("%s, %s, %s: %d %.*s\n", PROGRAMS[p].name, TASKS[t].name, KINDS[k].name, result, (int)strcspn(log, "\n"), result == 0 ? "" : log);
		}
	}
	return 0;
}
