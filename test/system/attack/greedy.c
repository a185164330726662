// greedy NAME [unprivileged]: two tasks load a large program again and again, a third one loads 200 small ones. Prints
// how many of the small ones were loaded, and how many of the large ones were answered until the last of them was.
#include "bpf.h"
#include <linux/capability.h>

#define CALL(off) ((struct bpf_insn){.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (off)})
#define HELPER(id) ((struct bpf_insn){.code = BPF_JMP | BPF_CALL, .imm = (id)})
#define EQUAL(value, by) ((struct bpf_insn){.code = BPF_JMP | BPF_JEQ | BPF_K, .imm = (value), .off = (by)})
#define STORE(at) ((struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .src_reg = BPF_REG_0, .off = (at)})
#define MOST 1000000
#define SMALL 200

static struct bpf_insn insns[MOST];

static unsigned straight(void)
{
	for (unsigned i = 0; i < MOST - 1; i++)
		insns[i] = MOV0(i);
	insns[MOST - 1] = EXIT;
	return MOST;
}

static unsigned chain(void)
{
	for (unsigned i = 0; i < 128000; i++) {
		insns[2 * i] = i < 127999 ? CALL(1) : MOV0(0);
		insns[2 * i + 1] = EXIT;
	}
	return 256000;
}

// Branches over a frame of which every slot is used.
static unsigned branches(void)
{
	unsigned at = 0;

	insns[at++] = HELPER(BPF_FUNC_get_prandom_u32);
	for (unsigned i = 0; i < 64; i++)
		insns[at++] = STORE(-8 * (int)(i + 1));
	while (at < 600000) {
		insns[at] = STORE(-8 * (int)(at % 64 + 1));
		insns[at + 1] = EQUAL(at % 29, 0);
		at += 2;
	}
	insns[at++] = MOV0(0);
	insns[at++] = EXIT;
	return at;
}

static unsigned callers(void)
{
	for (unsigned i = 0; i < MOST - 4; i++)
		insns[i] = CALL(MOST - 2 - i - 1);
	for (unsigned i = MOST - 4; i < MOST; i += 2)
		insns[i] = MOV0(0), insns[i + 1] = EXIT;
	return MOST;
}

static const struct {
	const char *name;
	unsigned (*write)(void);
} PROGRAMS[] = {{"straight", straight}, {"chain", chain}, {"branches", branches}, {"callers", callers}};

static void drop(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capset, &header, data))
		perror("capset");
}

int main(int argc, char **argv)
{
	volatile int *answered = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int *begun = answered + 1;
	pid_t greedy[2];
	unsigned count = 0;
	int loaded = 0;

	for (unsigned i = 0; i < sizeof(PROGRAMS) / sizeof(*PROGRAMS); i++)
		if (argc > 1 && strcmp(argv[1], PROGRAMS[i].name) == 0)
			count = PROGRAMS[i].write();
	if (count == 0)
		return 2;
	for (int i = 0; i < 2; i++) {
		greedy[i] = fork();
		if (greedy[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (argc > 2)
				drop();
			for (;;) {
				insns[0].imm += argc > 2 || count != MOST ? 0 : 1; // not the same program again
				__sync_fetch_and_add(begun, 1);
				int fd = load(insns, count);
				__sync_fetch_and_add(answered, 1);
				close(fd);
			}
		}
	}
	while (*begun < 2)
		usleep(1000);
	for (int i = 0; i < SMALL; i++) {
		struct bpf_insn small[2] = {MOV0(1000 + i), EXIT};
		int fd = load(small, 2);

		if (fd >= 0)
			loaded++;
		close(fd);
	}
	printf("%d small ones loaded, %d large ones answered\n", loaded, *answered);
	for (int i = 0; i < 2; i++)
		kill(greedy[i], SIGKILL), waitpid(greedy[i], NULL, 0);
	return 0;
}
