// tenant NAME COUNT: what a container does that shares an agent with others. Loads COUNT programs that are called NAME,
// each of which returns a number of its own, and as many that are called otherwise. Prints
// `NAME: loaded N denied N other N`: loaded are those that are called NAME and return their number, denied those that
// are called otherwise and got EPERM, other is all else, of which it says more. tenant NAME hostile: does, until it is
// killed, what is to keep the agent from the others: loads by names of others, loads of 1,000,000 instructions, loads
// over which its policy never comes back (`stuck`), attrs in memory that never comes, requests of all sizes.
#include "bpf.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>

#define LARGE 1000000

static int load_as(const char *name, unsigned number)
{
	struct bpf_insn insns[2] = {MOV0(number), EXIT};
	union bpf_attr attr;

	fill(&attr, insns, 2);
	strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int returns(int prog, unsigned number)
{
	char packet[64] = {};
	union bpf_attr attr = {.test = {.prog_fd = prog, .data_in = (uintptr_t)packet, .data_size_in = sizeof(packet)}};

	return bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)) == 0 && attr.test.retval == number;
}

static void others(const char *name)
{
	char other[16];

	for (unsigned i = 0;; i++) {
		snprintf(other, sizeof(other), "tenant%u", i % 50);
		if (strcmp(other, name))
			close(load_as(other, i));
	}
}

static void large(const char *name)
{
	struct bpf_insn *code = calloc(LARGE, sizeof(*code));
	union bpf_attr attr;

	for (unsigned i = 0; i < LARGE - 1; i++)
		code[i] = MOV0(2);
	code[LARGE - 1] = EXIT;
	for (;; code[0].imm++) {
		fill(&attr, code, LARGE);
		strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
		close(bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	}
}

static void stuck(const char *name)
{
	for (unsigned i = 0; name; i++)
		close(load_as("stuck", i));
}

// A page behind which nobody answers. Each task that waits for it is killed, and another one is there.
static void missing(const char *name)
{
	for (;;) {
		pid_t child = fork();

		if (child == 0) {
			char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			struct uffdio_api api = {.api = UFFD_API};
			struct uffdio_register range = {.range = {(uintptr_t)page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
			int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

			if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
				_exit(1);
			bpf(BPF_PROG_LOAD, page, sizeof(union bpf_attr));
			_exit(0);
		}
		waitpid(child, NULL, 0);
		usleep(strlen(name));
	}
}

static void sizes(const char *name)
{
	static char attr[4096];

	for (unsigned i = 0; name; i++)
		bpf(i % 40, attr, i % 8192);
}

static void (*const HOSTILE[])(const char *name) = {others, large, stuck, missing, sizes};

int main(int argc, char **argv)
{
	const char *name = argv[1];
	int count = atoi(argv[2]), loaded = 0, denied = 0;

	if (!strcmp(argv[2], "hostile")) {
		for (unsigned i = 0; i < sizeof(HOSTILE) / sizeof(*HOSTILE); i++)
			if (fork() == 0)
				HOSTILE[i](name);
		while (wait(NULL) > 0)
			;
		return 0;
	}
	for (unsigned i = 0; i < (unsigned)count; i++) {
		char other[16];
		int prog = load_as(name, i + 10);

		if (prog < 0)
			printf("%s: load %u: %s\n", name, i, strerrorname_np(errno));
		else if (!returns(prog, i + 10))
			printf("%s: run %u: not its own\n", name, i);
		else
			loaded++;
		close(prog);
		snprintf(other, sizeof(other), "tenant%u", i % 50u);
		if (!strcmp(other, name))
			strcpy(other, "nobody");
		prog = load_as(other, i + 10);
		if (prog < 0 && errno != EPERM)
			printf("%s: load of another %u: %s\n", name, i, strerrorname_np(errno));
		denied += prog < 0 && errno == EPERM;
		close(prog);
	}
	printf("%s: loaded %d denied %d other %d\n", name, loaded, denied, 2 * count - loaded - denied);
	return argc < 3;
}
