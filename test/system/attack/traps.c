// traps NAME: one trap each, in the order of the table at the end. Prints what came of it; the tests say what should.
#include "bpf.h"
#include <time.h>
#include <linux/btf.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>

static const char *outcome(long result)
{
	return result >= 0 ? "done" : errno == ENOSYS ? "ENOSYS" : errno == EPERM ? "EPERM" : errno == EACCES ? "EACCES" :
	       errno == EINVAL ? "EINVAL" : errno == EFAULT ? "EFAULT" : errno == E2BIG ? "E2BIG" : errno == EBADF ? "EBADF" :
	       errno == ENOENT ? "ENOENT" : errno == ENOSPC ? "ENOSPC" : errno == ESRCH ? "ESRCH" :
	       errno == ENODATA ? "ENODATA" : errno == EBADMSG ? "EBADMSG" : errno == ENOKEY ? "ENOKEY" :
	       errno == EKEYREJECTED ? "EKEYREJECTED" : errno == EOPNOTSUPP ? "EOPNOTSUPP" : "another errno";
}

static void say(const char *what, long result)
{
	printf("%s: %s\n", what, outcome(result));
}

// ---- ways in -------------------------------------------------------------------------------------------------------

static void doors(void)
{
	union bpf_attr attr;
	long result;

	say("good", load(GOOD, 2));
	say("bad", load(BAD, 2));
	fill(&attr, BAD, 2);
	say("command with bit 16", bpf(BPF_PROG_LOAD | 0x10000, &attr, sizeof(attr)));
	say("command with bit 63", syscall(SYS_bpf, BPF_PROG_LOAD | (1L << 63), &attr, sizeof(attr)));
	say("size with bit 32", syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr) | (1L << 32)));
	say("x32", syscall(0x40000000 | SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)));
	say("unknown command", bpf(1000, &attr, sizeof(attr)));
	// i386's bpf is 357; what it points to lies above 4 GiB, but the filter does not get that far
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(357), "b"(BPF_PROG_LOAD), "c"(0), "d"(0) : "memory");
	errno = -result;
	say("i386", result < 0 ? -1 : result);
	say("kexec_load", syscall(SYS_kexec_load, 0, 0, 0, 0));
	say("kexec_file_load", syscall(SYS_kexec_file_load, -1, -1, 0, 0, 0));
}

static void *load_in_thread(void *insns)
{
	errno = 0;
	int fd = load(insns, 2);

	return (void *)(intptr_t)(fd < 0 ? -errno : fd);
}

static void callers(void)
{
	const struct bpf_insn *programs[] = {GOOD, BAD};

	for (int i = 0; i < 2; i++) {
		pthread_t thread;
		void *result;
		pid_t child;
		int status;

		pthread_create(&thread, NULL, load_in_thread, (void *)programs[i]);
		pthread_join(thread, &result);
		errno = -(intptr_t)result;
		say(i ? "bad in a thread" : "good in a thread", (intptr_t)result);
		fflush(stdout);
		child = vfork();
		if (child == 0)
			_exit(load(programs[i], 2) < 0 ? 1 : 0);
		waitpid(child, &status, 0);
		printf("%s in a vfork: %d\n", i ? "bad" : "good", WEXITSTATUS(status));
		// its leader is gone: the thread alone is left
		fflush(stdout);
	}
}

// ---- file descriptors ----------------------------------------------------------------------------------------------

static int load_with_map(int fd)
{
	// r1 = &map[0].value; *(u64 *)r1 = 7; r0 = 2; exit
	struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_VALUE, .dst_reg = 1, .imm = fd},
		{},
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 1, .imm = 7},
		MOV0(2),
		EXIT,
	};

	return load(insns, 5);
}

static long value_of(int map)
{
	uint64_t value = 0;
	uint32_t key = 0;
	union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&value};

	bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
	return value;
}

static void fds(void)
{
	char packet[64] = {};
	union bpf_attr attr = {};
	int map = array(8), other = array(8), high, prog;

	high = fcntl(map, F_DUPFD, 700);
	prog = load_with_map(high);
	say("with a dup'ed fd", prog);
	printf("close-on-exec: %d\n", fcntl(prog, F_GETFD));
	attr.test.prog_fd = prog;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	say("run", bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)));
	printf("the map that was meant: %ld, the other one: %ld\n", value_of(map), value_of(other));
	close(high);
	say("with a closed fd", load_with_map(high));
	say("with an fd that is no map", load_with_map(0));
	say("with a negative fd", load_with_map(-7));
}

// A program that takes a map by its place in fd_array, of which fd_array_cnt says so much.
static int load_by_index(int index, const int *fds, uint32_t count)
{
	struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_IDX, .dst_reg = 1, .imm = index}, {}, MOV0(2), EXIT};
	union bpf_attr attr;

	fill(&attr, insns, 4);
	attr.fd_array = (uintptr_t)fds;
	((uint32_t *)&attr)[37] = count; // fd_array_cnt, newer than some headers
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

// A program that names a map by so many fds, each a copy of its own.
static int load_by_copies(int map, int count)
{
	struct bpf_insn *insns = calloc(2 * count + 2, sizeof(*insns));

	for (int i = 0; i < count; i++)
		insns[2 * i] = (struct bpf_insn){
			.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_FD, .dst_reg = 1, .imm = fcntl(map, F_DUPFD, 0)};
	insns[2 * count] = MOV0(2);
	insns[2 * count + 1] = EXIT;
	return load(insns, 2 * count + 2);
}

static void copies(void)
{
	int map = array(8), fds[1024];

	say("512", load_by_copies(map, 512));
	say("513", load_by_copies(map, 513));
	for (int i = 0; i < 1024; i++)
		fds[i] = i < 512 ? fcntl(map, F_DUPFD, 0) : fds[i - 512];
	say("512 in fd_array", load_by_index(0, fds, 1024));
	fds[1023] = fcntl(map, F_DUPFD, 0);
	say("513 in fd_array", load_by_index(0, fds, 1024));
}

static void places(void)
{
	int map = array(8), fds[2048];

	for (int i = 0; i < 2048; i++)
		fds[i] = map;
	say("within", load_by_index(0, fds, 1));
	say("beyond the count", load_by_index(1, fds, 1));
	say("far beyond the count", load_by_index(2000, fds, 1));
	say("without a count", load_by_index(3, fds, 0));
	say("before", load_by_index(-1, fds + 1, 1));
	say("before, without a count", load_by_index(-1, fds + 1, 0));
	say("long before", load_by_index(-1000, fds + 1024, 1));
}

// ---- memory --------------------------------------------------------------------------------------------------------

static void shapes(void)
{
	union bpf_attr attr;
	char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *edge;
	char wide[8192] = {}, small[512];

	munmap(page + 4096, 4096);
	fill(&attr, GOOD, 2);
	say("size 0", bpf(BPF_PROG_LOAD, &attr, 0));
	say("size 4097", bpf(BPF_PROG_LOAD, wide, 4097));
	memcpy(wide, &attr, sizeof(attr));
	say("zeros behind", bpf(BPF_PROG_LOAD, wide, 4096));
	wide[4000] = 1;
	say("something behind", bpf(BPF_PROG_LOAD, wide, 4096));
	say("attr at null", bpf(BPF_PROG_LOAD, NULL, sizeof(attr)));
	say("attr in the kernel", bpf(BPF_PROG_LOAD, (void *)0xffff800000000000, sizeof(attr)));
	memcpy(page + 4096 - 40, &attr, 40);
	say("attr into a hole", bpf(BPF_PROG_LOAD, page + 4096 - 40, sizeof(attr)));
	say("attr up to a hole", bpf(BPF_PROG_LOAD, page + 4096 - 40, 40));
	memcpy(page + 1, &attr, sizeof(attr));
	say("unaligned", bpf(BPF_PROG_LOAD, page + 1, sizeof(attr)));
	fill(&attr, page + 4096 - 8, 2);
	say("insns into a hole", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	edge = page + 4096 - 4;
	memcpy(edge, "GPL", 4);
	fill(&attr, GOOD, 2);
	attr.license = (uintptr_t)edge;
	say("license up to a hole", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	memcpy(edge, "GPLv", 4);
	say("license into a hole", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	fill(&attr, GOOD, 0);
	say("no insns", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	fill(&attr, GOOD, 0xffffffff);
	say("insns without end", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	fill(&attr, GOOD, 2);
	attr.func_info = 8, attr.func_info_cnt = 0x7fffffff, attr.func_info_rec_size = 252;
	say("records without end", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	struct bpf_insn wrong[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 5}, EXIT};
	fill(&attr, wrong, 2);
	attr.log_level = 1, attr.log_buf = (uintptr_t)small, attr.log_size = 0x3fffffff;
	small[0] = 0;
	say("log of 1 GiB", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	printf("log: %s\n", strstr(small, "R5 !read_ok") ? "R5 !read_ok" : small);
	attr.log_size = 16;
	say("log of 16 bytes", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	printf("true size: %s\n", attr.log_true_size > 16 ? "more" : "less");
	attr.log_size = 0;
	say("log without size", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
}

// A page behind which nobody answers: whoever reads it waits until this process is gone.
static char *endless_page(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.range = {(uintptr_t)page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range)) {
		printf("no userfaultfd\n");
		exit(3);
	}
	return page;
}

// One task that makes the gate wait: its like are suspect from then on.
static void stall(void)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		bpf(BPF_PROG_LOAD, endless_page(), sizeof(union bpf_attr));
		_exit(0);
	}
	waitpid(child, &status, 0);
	printf("stalled: %s\n", WIFSIGNALED(status) ? "killed" : "came back");
}

static void endless(void)
{
	const char *names[] = {"attr", "insns", "license", "log", "func_info", "fd_array", "path", "pin", "btf", "name"};

	for (int kind = 0; kind < 10; kind++) {
		int status;
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0) {
			char *page = endless_page();
			int program = load(GOOD, 2);
			union bpf_attr attr;
			struct bpf_insn wrong[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 5}, EXIT};

			fill(&attr, kind == 1 ? (void *)page : kind == 3 ? wrong : GOOD, 2);
			if (kind == 2)
				attr.license = (uintptr_t)page;
			if (kind == 3)
				attr.log_level = 1, attr.log_size = 4096, attr.log_buf = (uintptr_t)page;
			if (kind == 4)
				attr.func_info = (uintptr_t)page, attr.func_info_cnt = 1, attr.func_info_rec_size = 8;
			if (kind == 5)
				attr.fd_array = (uintptr_t)page, ((uint32_t *)&attr)[37] = 1; // fd_array_cnt, newer than some headers
			if (kind >= 6) {
				// its path, its bytes or its name: all stand at 0
				memset(&attr, 0, sizeof(attr));
				attr.pathname = (uintptr_t)page;
				attr.btf_size = kind == 8 ? 64 : 0;
				// the kernel looks at the program to pin, or to attach, first
				attr.bpf_fd = kind == 7 || kind == 9 ? program : 0;
			}
			const int commands[] = {BPF_OBJ_GET, BPF_OBJ_PIN, BPF_BTF_LOAD, BPF_RAW_TRACEPOINT_OPEN};
			bpf(kind >= 6 ? commands[kind - 6] : BPF_PROG_LOAD, kind == 0 ? (void *)page : &attr, sizeof(attr));
			_exit(0);
		}
		waitpid(child, &status, 0);
		printf("%s: %s\n", names[kind], WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? "killed" : "came back");
	}
	say("and then", load(GOOD, 2));
}

// Has this process's next child be the one of this id, as far as that is up to it.
static pid_t fork_as(pid_t id)
{
	FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");

	if (last != NULL)
		fprintf(last, "%d", id - 1), fclose(last);
	return fork();
}

// A task is killed while the gate writes into it, and its id is another one's by the time that the gate goes on: what
// is written next, into attr, would be that one's.
static void successor(void)
{
	union bpf_attr *attr = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile uint32_t *true_size = (void *)attr + 140; // log_true_size
	struct uffd_msg event;
	pid_t task, heir = 0;
	int told[2], gone[2], faults;
	char *page, filler[4096] = {};
	char says;

	if (pipe(told) || pipe(gone))
		exit(3);
	task = fork();
	if (task == 0) {
		struct bpf_insn wrong[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 5}, EXIT};

		page = endless_page();
		write(told[1], &page, sizeof(page));
		fill(attr, wrong, 2);
		attr->log_level = 1, attr->log_size = 4096, attr->log_buf = (uintptr_t)page;
		bpf(BPF_PROG_LOAD, attr, sizeof(*attr) > 144 ? sizeof(*attr) : 144);
		_exit(0);
	}
	close(told[1]);
	read(told[0], &page, sizeof(page));
	// the lowest that was free when the pipes were made
	faults = syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, task, 0), gone[1] + 1, 0);
	if (read(faults, &event, sizeof(event)) != sizeof(event))
		exit(4);
	kill(task, SIGKILL);
	waitpid(task, NULL, 0);
	for (int tries = 0; tries < 100 && heir != task; tries++) {
		heir = fork_as(task);
		if (heir == 0) {
			read(gone[0], &says, 1);
			_exit(*true_size != 0);
		}
		if (heir != task)
			kill(heir, SIGKILL), waitpid(heir, NULL, 0);
	}
	printf("heir: %s\n", heir == task ? "has its id" : "none");
	struct uffdio_copy copy = {.dst = (uintptr_t)page, .src = (uintptr_t)filler, .len = 4096};
	say("page", ioctl(faults, UFFDIO_COPY, &copy));
	usleep(300000);
	write(gone[1], "", 1);
	int status;
	waitpid(heir, &status, 0);
	printf("memory of the heir: %s\n", WEXITSTATUS(status) ? "written to" : "untouched");
	say("and then", load(GOOD, 2));
}

// ---- credentials ---------------------------------------------------------------------------------------------------

static void limit_to(uint64_t effective)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {};

	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = effective >> (32 * i);
	syscall(SYS_capset, &header, data);
}

static void capabilities(void)
{
	struct bpf_insn pointer[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 10}, EXIT};

	say("pointer with all", load(pointer, 2));
	limit_to((1ULL << CAP_BPF) | (1ULL << CAP_NET_ADMIN));
	say("pointer with CAP_BPF", load(pointer, 2));
	say("good with CAP_BPF", load(GOOD, 2));
	limit_to(0);
	struct bpf_insn kprobe[2] = {MOV0(0), EXIT};
	union bpf_attr attr;
	fill(&attr, kprobe, 2);
	attr.prog_type = BPF_PROG_TYPE_TRACEPOINT;
	say("tracing without any", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	say("module without any", syscall(SYS_finit_module, 0, "", 0));
}

// ---- the gate itself -----------------------------------------------------------------------------------------------

static void reach(void)
{
	pid_t gate = getppid();
	char path[64];
	int pidfd = syscall(SYS_pidfd_open, gate, 0), taken = 0, memory, signalled = 0;

	for (int fd = 0; fd < 256; fd++)
		taken += syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0;
	printf("fds taken: %d\n", taken);
	snprintf(path, sizeof(path), "/proc/%d/mem", gate);
	memory = open(path, O_RDWR);
	say("memory", memory);
	say("ptrace", ptrace(PTRACE_ATTACH, gate, 0, 0));
	say("seize", ptrace(PTRACE_SEIZE, gate, 0, 0));
	for (int signal = 1; signal < 32; signal++)
		signalled += kill(gate, signal) == 0;
	printf("signals: %d\n", signalled);
	say("through a pidfd", syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0));
	say("good", load(GOOD, 2));
	say("bad", load(BAD, 2));
}

// ---- objects that were not handed out ------------------------------------------------------------------------------

#define REFUSED_LOADS 1000

static volatile uint32_t refused;

static void *refused_loads(void *arg)
{
	while (refused < REFUSED_LOADS)
		load(arg, 2), refused++;
	return NULL;
}

// The first id after this one, 0 if there is none.
static uint32_t next_id(uint32_t id)
{
	union bpf_attr attr = {};

	attr.start_id = id;
	return bpf(BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) ? 0 : attr.next_id;
}

static int program_of(uint32_t id)
{
	union bpf_attr attr = {};

	attr.prog_id = id;
	return bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
}

static uint32_t id_of_good(void)
{
	struct bpf_prog_info info;

	return prog_info(load(GOOD, 2), &info) ? 0 : info.id;
}

// `r0 = 3; exit` is let through by bpf_prog_load and refused by bpf_prog: it is loaded for a moment, and has an id. The
// kernel counts ids up: those that follow are tried before they are there, and all new ones that can be seen.
static void catch(void)
{
	static const struct bpf_insn loaded_first[2] = {MOV0(3), EXIT};
	uint32_t first = id_of_good();
	pthread_t thread;
	long caught = 0;

	say("refused after loading", load(loaded_first, 2));
	pthread_create(&thread, NULL, refused_loads, (void *)loaded_first);
	while (refused < REFUSED_LOADS) {
		uint32_t expected = first + 1 + refused;
		uint32_t tried[] = {expected, expected + 1, next_id(first)};

		for (int i = 0; i < 3; i++) {
			int fd = program_of(tried[i]);

			if (fd >= 0)
				caught++, close(fd);
		}
	}
	pthread_join(thread, NULL);
	printf("ids of refused programs: %s\n", id_of_good() - first > REFUSED_LOADS ? "one each" : "none");
	printf("programs caught: %ld\n", caught);
}

static void by_id(void)
{
	struct bpf_prog_info info;
	union bpf_attr attr = {};
	int fd = load(GOOD, 2);

	prog_info(fd, &info);
	attr.prog_id = info.id;
	say("own program by id", bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)));
	attr.prog_id = atoi(getenv("OTHER_PROGRAM"));
	say("another's program by id", bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)));
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)getenv("OTHER_PIN");
	say("another's program by path", bpf(BPF_OBJ_GET, &attr, sizeof(attr)));
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)getenv("OWN_PIN");
	attr.bpf_fd = fd;
	say("pin", bpf(BPF_OBJ_PIN, &attr, sizeof(attr)));
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)getenv("OWN_PIN");
	say("own program by path", bpf(BPF_OBJ_GET, &attr, sizeof(attr)));
}

// ---- what the kernel rewrites --------------------------------------------------------------------------------------

// `r0 = 2` with a relocation: the kernel's own XDP_DROP is 1, so that `r0 = 1` is what it runs. With ALONE, there is no
// func_info, and kernels before Linux 7.3 ignore the relocation.
static void rewrite(void)
{
	static const char names[] = "\0xdp_action\0XDP_DROP\0main";
	struct {
		struct btf_header header;
		struct btf_type action;
		struct btf_enum drop;
		struct btf_type number;
		uint32_t encoding;
		struct btf_type proto, main;
		char names[sizeof(names)];
	} __attribute__((packed)) blob = {
		.header = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(blob.header)},
		.action = {.name_off = 1, .info = BTF_KIND_ENUM << 24 | 1, .size = 4},
		.drop = {.name_off = 12, .val = 2},
		.number = {.name_off = 21, .info = BTF_KIND_INT << 24, .size = 4},
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.proto = {.info = BTF_KIND_FUNC_PROTO << 24, .type = 2},
		.main = {.name_off = 21, .info = BTF_KIND_FUNC << 24, .type = 3},
	};
	struct bpf_func_info function = {.type_id = 4};
	struct bpf_core_relo relocation = {.type_id = 1, .access_str_off = 0, .kind = BPF_CORE_ENUMVAL_VALUE};
	union bpf_attr attr = {};
	int btf, fd;

	memcpy(blob.names, names, sizeof(names));
	blob.header.type_len = offsetof(typeof(blob), names) - sizeof(blob.header);
	blob.header.str_off = blob.header.type_len;
	blob.header.str_len = sizeof(names) + 2;
	struct {
		typeof(blob) blob;
		char access[2];
	} __attribute__((packed)) whole = {blob, "0"};
	relocation.access_str_off = sizeof(names);
	attr.btf = (uintptr_t)&whole;
	attr.btf_size = sizeof(whole);
	btf = bpf(BPF_BTF_LOAD, &attr, sizeof(attr));
	say("btf", btf);
	fill(&attr, GOOD, 2);
	attr.prog_btf_fd = btf;
	if (!getenv("ALONE"))
		attr.func_info = (uintptr_t)&function, attr.func_info_cnt = 1, attr.func_info_rec_size = sizeof(function);
	attr.core_relos = (uintptr_t)&relocation, attr.core_relo_cnt = 1, attr.core_relo_rec_size = sizeof(relocation);
	fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	say("rewritten", fd);
	if (fd >= 0)
		printf("tag: %016llx\n", (unsigned long long)__builtin_bswap64(tag_of(fd)));
}

// ---- signatures -----------------------------------------------------------------------------------------------------

// What is no signature, for the keyring that KEYRING names: a policy sees both, and this kernel gets neither.
static void signature(void)
{
	static const char bytes[64] = "no CMS";
	union { union bpf_attr attr; struct { char before[152]; uint64_t signature; uint32_t size; int32_t keyring; } newer; } it = {};

	fill(&it.attr, GOOD, 2);
	it.newer.signature = (uintptr_t)bytes;
	it.newer.size = sizeof(bytes);
	it.newer.keyring = atoi(getenv("KEYRING"));
	say("signed", bpf(BPF_PROG_LOAD, &it, 168));
	it.newer.size = 0;
	say("with a signature of no bytes", bpf(BPF_PROG_LOAD, &it, 168));
	it.newer.size = 0xffffffff;
	say("with a signature without end", bpf(BPF_PROG_LOAD, &it, 168));
	it.newer.size = sizeof(bytes);
	it.newer.signature = 8;
	say("with a signature that is not there", bpf(BPF_PROG_LOAD, &it, 168));
}

// ---- programs that load programs, and tokens ------------------------------------------------------------------------

// An array of one element: of no kind, one that programs only read, and one that is exclusive to the program that
// DIGEST names.
static int map_for(int kind)
{
	union { union bpf_attr attr; struct { char before[80]; uint64_t hash; uint32_t size; } newer; } it = {
		.attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1, .map_name = "blob"}};
	uint8_t digest[32];

	if (kind == 1)
		it.attr.map_flags = BPF_F_RDONLY_PROG;
	for (int i = 0; i < 32; i++)
		sscanf(getenv("DIGEST") + 2 * i, "%2hhx", &digest[i]);
	if (kind == 2)
		it.newer.hash = (uintptr_t)digest, it.newer.size = sizeof(digest);
	return bpf(BPF_MAP_CREATE, &it, 96);
}

static void loaders(void)
{
	union bpf_attr attr;

	fill(&attr, GOOD, 2);
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	say("a program that calls bpf(2)", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	// each may be written by others, but the last two, once user space cannot write to them
	const char *names[] = {"any map", "a map that it reads", "a map of its own"};
	for (int kind = 0; kind < 3; kind++)
		for (int frozen = 0; frozen < 2; frozen++) {
			struct bpf_insn with_map[4] = {
				{.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_FD, .dst_reg = 1, .imm = map_for(kind)}, {}, MOV0(2), EXIT};

			memset(&attr, 0, sizeof(attr));
			attr.map_fd = with_map[0].imm;
			if (frozen)
				bpf(BPF_MAP_FREEZE, &attr, sizeof(attr));
			fill(&attr, with_map, 4);
			attr.prog_type = BPF_PROG_TYPE_SYSCALL;
			attr.prog_flags = BPF_F_SLEEPABLE;
			printf("with %s%s", names[kind], frozen ? ", frozen" : "");
			say("", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
		}
	memset(&attr, 0, sizeof(attr));
	attr.token_create.bpffs_fd = open("/sys/fs/bpf", O_PATH);
	say("a token", bpf(BPF_TOKEN_CREATE, &attr, sizeof(attr)));
	fill(&attr, GOOD, 2);
	attr.prog_flags = 1 << 16;
	say("a load by token", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
}

// A program for a device of the task's own network: numbers of devices are another's elsewhere.
static void device(void)
{
	const unsigned there = if_nametoindex("bound0"), numbers[] = {there, there + 1000};
	union bpf_attr attr;

	printf("device %s\n", there ? "found" : "missing");
	for (int i = 0; i < 2; i++) {
		fill(&attr, GOOD, 2);
		attr.prog_type = BPF_PROG_TYPE_XDP;
		attr.prog_flags = BPF_F_XDP_DEV_BOUND_ONLY;
		attr.prog_ifindex = numbers[i];
		say(i ? "a number that is none" : "bound", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	}
}

// Children that are killed while they ask: the gate must go on.
static void deaths(void)
{
	unsigned seed = 1;

	for (int i = 0; i < 300; i++) {
		pid_t child = fork();

		if (child == 0)
			for (;;)
				close(load(i % 2 ? GOOD : BAD, 2));
		usleep(rand_r(&seed) % 2000);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	say("and then", load(GOOD, 2));
	say("and bad", load(BAD, 2));
}

static const struct {
	const char *name;
	void (*run)(void);
} TRAPS[] = {
	{"doors", doors}, {"callers", callers}, {"fds", fds}, {"places", places}, {"copies", copies}, {"shapes", shapes},
	{"endless", endless}, {"stall", stall}, {"successor", successor},
	{"capabilities", capabilities}, {"reach", reach}, {"catch", catch}, {"by-id", by_id}, {"rewrite", rewrite},
	{"signature", signature}, {"loaders", loaders}, {"device", device}, {"deaths", deaths},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(TRAPS) / sizeof(*TRAPS); i++)
		if (argc > 1 && !strcmp(TRAPS[i].name, argv[1]))
			return TRAPS[i].run(), 0;
	return 2;
}
