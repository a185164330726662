// greedy NAME [again | unprivileged]: two tasks make a call that takes long again and again, a third one loads 200
// small programs. Prints how many of the small ones were loaded, and how many of the long calls were answered until the
// last of them was. `again`: with the same program each time. NAME is one of the programs, or of the other calls.
#include "large.h"
#include <linux/btf.h>
#include <linux/capability.h>

#define SMALL 200

static const struct {
	const char *name;
	unsigned (*write)(void);
} PROGRAMS[] = {{"straight", straight}, {"chain", chain}, {"branches", branches}, {"callers", callers}};

static int create_map(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 500000};

	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

#define TYPES 100000

static int load_types(void)
{
	static struct {
		struct btf_header header;
		struct btf_type_of_int { struct btf_type type; unsigned bits; } types[TYPES];
		char strings[4];
	} btf = {{.magic = BTF_MAGIC, .version = 1, .hdr_len = sizeof(btf.header)}, .strings = "\0i"};
	union bpf_attr attr = {.btf = (uintptr_t)&btf, .btf_size = offsetof(typeof(btf), strings) + 3};

	btf.header.type_len = btf.header.str_off = sizeof(btf.types);
	btf.header.str_len = 3;
	for (unsigned i = 0; i < TYPES; i++)
		btf.types[i] = (struct btf_type_of_int){{.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4}, 32};
	return bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
}

static int run(void)
{
	static int prog;
	char packet[64] = {};
	union bpf_attr attr = {.test = {.data_in = (uintptr_t)packet, .data_size_in = sizeof(packet), .repeat = 65536}};

	if (prog == 0) {
		straight();
		insns[4000] = EXIT;
		prog = load(insns, 4001);
	}
	attr.test.prog_fd = prog;
	return bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)) < 0 ? -1 : attr.test.retval != 3999;
}

static const struct {
	const char *name;
	int (*make)(void);
} CALLS[] = {{"map", create_map}, {"types", load_types}, {"run", run}};

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
	volatile int *begun = answered + 1, *failed = answered + 2;
	pid_t greedy[2];
	const char *how = argc > 2 ? argv[2] : "";
	int (*make)(void) = NULL;
	unsigned count = 0;
	int loaded = 0;

	for (unsigned i = 0; i < sizeof(PROGRAMS) / sizeof(*PROGRAMS); i++)
		if (argc > 1 && strcmp(argv[1], PROGRAMS[i].name) == 0)
			count = PROGRAMS[i].write();
	for (unsigned i = 0; i < sizeof(CALLS) / sizeof(*CALLS); i++)
		if (argc > 1 && strcmp(argv[1], CALLS[i].name) == 0)
			make = CALLS[i].make;
	if (count == 0 && make == NULL)
		return 2;
	for (int i = 0; i < 2; i++) {
		greedy[i] = fork();
		if (greedy[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (strcmp(how, "unprivileged") == 0)
				drop();
			for (;;) {
				insns[0].imm += *how || count != MOST ? 0 : 1;
				__sync_fetch_and_add(begun, 1);
				int fd = make ? make() : load(insns, count);
				__sync_fetch_and_add(answered, 1);
				if (make && fd < 0)
					*failed = errno;
				if (fd > 0)
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
	if (*failed)
		printf("failed: %s\n", strerrorname_np(*failed));
	for (int i = 0; i < 2; i++)
		kill(greedy[i], SIGKILL), waitpid(greedy[i], NULL, 0);
	return 0;
}
