// clients COUNT INSNS [SMALL]: COUNT processes each load a program of so many instructions, and SMALL others one of
// two, all at once: each waits at a pipe until all of them are there. Prints what came of the loads, `loaded N`,
// `EPERM N` …; `own N` is how many got the program that they had asked for, which returns a number of its own.
#include "bpf.h"

// What a process exits with: that it got its own program or another one; else the errno.
#define OWN 0
#define OTHER 1
#define ERRNO 64

static int returns(int prog, unsigned wanted)
{
	char packet[64] = {};
	union bpf_attr attr = {.test = {.prog_fd = prog, .data_in = (uintptr_t)packet, .data_size_in = sizeof(packet)}};

	return bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)) == 0 && attr.test.retval == wanted;
}

static int client(struct bpf_insn *code, unsigned insns, unsigned number)
{
	int prog;

	code[insns - 2] = MOV0(number);
	prog = load(code, insns);
	if (prog < 0)
		return ERRNO + (errno < 128 ? errno : 127);
	return returns(prog, number) ? OWN : OTHER;
}

int main(int argc, char **argv)
{
	int count = atoi(argv[1]), small = argc > 3 ? atoi(argv[3]) : 0, outcomes[256] = {}, gate[2], status;
	unsigned insns = atoi(argv[2]);
	struct bpf_insn *code = mmap(NULL, insns * sizeof(*code), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned i = 0; i < insns; i++)
		code[i] = MOV0(0);
	code[insns - 1] = EXIT;
	if (pipe(gate))
		return 2;
	for (int i = 0; i < count + small; i++) {
		pid_t child = fork();
		char byte;

		if (child < 0)
			return perror("fork"), 3;
		if (child)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(gate[1]);
		if (read(gate[0], &byte, 1) != 0)
			_exit(2);
		if (i < count)
			_exit(client(code, insns, i + 10));
		_exit(client(code + insns - 2, 2, i + 10));
	}
	close(gate[0]);
	close(gate[1]);
	while (wait(&status) > 0)
		outcomes[WIFEXITED(status) ? WEXITSTATUS(status) : 2]++;
	printf("loaded %d\nown %d\n", outcomes[OWN] + outcomes[OTHER], outcomes[OWN]);
	for (int i = 2; i < 256; i++)
		if (outcomes[i])
			printf("%s %d\n", i < ERRNO ? "ended" : strerrorname_np(i - ERRNO), outcomes[i]);
	return 0;
}
