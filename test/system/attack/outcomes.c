// What a command finds different because a gate is there: each line is one act and what came of it, so that outputs can
// be compared.
#include "bpf.h"
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value == NULL ? "0" : value;
}

static int number(const char *name)
{
	return atoi(env(name));
}

static long i386(long call, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(call), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	errno = result < 0 ? -result : 0;
	return result < 0 ? -1 : result;
}

static long signals(void) { return kill(number("OUTSIDE"), 0); }

static long traces(void)
{
	long result = ptrace(PTRACE_SEIZE, number("OUTSIDE"), 0, 0);

	return result;
}

static long reads(void)
{
	char here[8];
	struct iovec local = {here, sizeof(here)}, remote = {(void *)strtoul(env("ADDRESS"), NULL, 0), sizeof(here)};

	// any errno but EPERM says that the memory may be read: there is nothing at this address
	return process_vm_readv(number("OUTSIDE"), &local, 1, &remote, 1, 0);
}

static long at_socket(int (*call)(int, const struct sockaddr *, socklen_t), int fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	strncpy(address.sun_path + 1, env("SOCKET"), sizeof(address.sun_path) - 2);
	return call(fd, (void *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(env("SOCKET")));
}

static long connects(void) { return at_socket(connect, socket(AF_UNIX, SOCK_STREAM, 0)); }

// The process outside.
static void stay(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	at_socket(bind, fd);
	listen(fd, 64);
	puts("listening");
	for (;;)
		pause();
}

static long getpid386(void) { return i386(20, 0, 0, 0) == getpid() ? 0 : -1; }
static long bpf386(void) { return i386(357, 0x7fffffff, 0, 0); }
static long getpid_x32(void) { return syscall(0x40000000 | SYS_getpid); }
static long kexec(void) { return syscall(SYS_kexec_load, 0, 0x7fffffff, 0, 0); }
static long kexec_file(void) { return syscall(SYS_kexec_file_load, -1, -1, 0, 0, 0); }

static long module_image(void) { return syscall(SYS_init_module, "no module", 9, ""); }
static long module_file(void) { return syscall(SYS_finit_module, open("/proc/self/exe", O_RDONLY), "", 0); }

static long pin_at(const char *where)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s%s/by-outcomes", where, env("BPFFS"));
	union bpf_attr attr = {.pathname = (uintptr_t)path, .bpf_fd = array(8)};
	long result = bpf(BPF_OBJ_PIN, &attr, 24);

	if (result == 0)
		unlink(path);
	return result;
}

static long pins(void) { return pin_at(""); }
static long pins_by_link(void) { return pin_at("/proc/self/root"); }

static long gets_by_link(void)
{
	char path[4096], plain[2048];

	snprintf(plain, sizeof(plain), "%s/by-outcomes", env("BPFFS"));
	snprintf(path, sizeof(path), "/proc/self/root%s", plain);
	union bpf_attr pin = {.pathname = (uintptr_t)plain, .bpf_fd = array(8)};
	union bpf_attr get = {.pathname = (uintptr_t)path};

	if (bpf(BPF_OBJ_PIN, &pin, 24) != 0)
		return -1;
	long result = bpf(BPF_OBJ_GET, &get, 24);

	unlink(plain);
	return result;
}

static long by_id(int command, int id)
{
	union bpf_attr attr = {.prog_id = id};

	return bpf(command, &attr, 12);
}

static long program(void) { return by_id(BPF_PROG_GET_FD_BY_ID, number("PROGRAM")); }
static long map(void) { return by_id(BPF_MAP_GET_FD_BY_ID, number("MAP")); }
static long nothing(void) { return by_id(BPF_PROG_GET_FD_BY_ID, 0x7ffffffe); }

static long own_link(void)
{
	union bpf_attr attr = {.raw_tracepoint = {.name = (uintptr_t)"sched_switch", .prog_fd = -1}};
	struct bpf_link_info info = {};
	union bpf_attr load_attr;

	fill(&load_attr, GOOD, 2);
	load_attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.raw_tracepoint.prog_fd = bpf(BPF_PROG_LOAD, &load_attr, sizeof(load_attr));
	int link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
	union bpf_attr ask = {.info = {.bpf_fd = link, .info_len = sizeof(info), .info = (uintptr_t)&info}};

	if (link < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask)) != 0)
		return -1;
	return by_id(BPF_LINK_GET_FD_BY_ID, info.id);
}

static long unknown_command(void)
{
	union bpf_attr attr = {};

	return bpf(1000, &attr, sizeof(attr));
}

static long loads(void) { return load(GOOD, 2); }
static long loads_what_is_denied(void) { return load(BAD, 2); }

static long loads_unreadable(void)
{
	// BTF of one integer, `int`, and a record of a function that is shorter than any
	static const struct {
		uint16_t magic;
		uint8_t version, flags;
		uint32_t header, type_at, type_length, text_at, text_length;
		uint32_t type[4];
		char text[8];
	} types = {0xeb9f, 1, 0, 24, 0, 16, 16, 8, {1, 1 << 24, 4, 1 << 24 | 32}, "\0int"};
	static const uint32_t record[1];
	union bpf_attr btf = {.btf = (uintptr_t)&types, .btf_size = sizeof(types)}, attr;

	fill(&attr, GOOD, 2);
	attr.prog_btf_fd = bpf(BPF_BTF_LOAD, &btf, sizeof(btf));
	attr.func_info = (uintptr_t)record;
	attr.func_info_cnt = 1;
	attr.func_info_rec_size = 4;
	return (int)attr.prog_btf_fd < 0 ? -1 : bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static long with(unsigned offset, uint32_t value)
{
	union bpf_attr attr;

	fill(&attr, GOOD, 2);
	memcpy((char *)&attr + offset, &value, sizeof(value));
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static long with_token(void) { return with(offsetof(union bpf_attr, prog_flags), 1 << 16); }

static long with_many_fds(void)
{
	static int fds[5000];
	union bpf_attr attr;

	fill(&attr, GOOD, 2);
	attr.fd_array = (uintptr_t)fds;
	*(uint32_t *)((char *)&attr + 148) = 5000;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static long map_with_token(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};

	attr.map_flags = 1 << 16;
	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long large_map(void) { return array(1 << 20); }

static long longer_attr(void)
{
	char attr[256] = {[255] = 1};

	return bpf(BPF_MAP_CREATE, attr, sizeof(attr));
}

static long attr_without_memory(void) { return bpf(BPF_PROG_LOAD, (void *)8, 64); }

static long unknown_field(void)
{
	char path[2048], attr[24] = {[20] = 1};
	uint64_t pointer = (uintptr_t)path;
	int map = array(8);

	snprintf(path, sizeof(path), "%s/by-outcomes", env("BPFFS"));
	memcpy(attr, &pointer, sizeof(pointer));
	memcpy(attr + 8, &map, sizeof(map));

	return bpf(BPF_OBJ_PIN, attr, sizeof(attr));
}

static long unknown_type(void)
{
	union bpf_attr attr = {.link_create = {.prog_fd = load(GOOD, 2), .attach_type = 4711}};

	return bpf(BPF_LINK_CREATE, &attr, 64);
}

static long repeats(void)
{
	static char packet[64];
	union bpf_attr attr = {.test = {.prog_fd = load(GOOD, 2), .repeat = 70000}};

	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	return bpf(BPF_PROG_TEST_RUN, &attr, 80);
}

static long token(void)
{
	union bpf_attr attr = {};

	if (syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) != 0)
		return -1;
	*((uint32_t *)&attr + 1) = open(env("BPFFS"), O_RDONLY);
	return bpf(36, &attr, 8);
}

static const struct {
	const char *name;
	long (*act)(void);
} ACTS[] = {
	{"signal a process outside", signals},
	{"trace it", traces},
	{"read its memory", reads},
	{"connect to its abstract socket", connects},
	{"getpid of i386", getpid386},
	{"bpf of i386", bpf386},
	{"getpid of x32", getpid_x32},
	{"kexec_load", kexec},
	{"kexec_file_load", kexec_file},
	{"load a module's image", module_image},
	{"load a module's file", module_file},
	{"pin", pins},
	{"pin by a link of /proc", pins_by_link},
	{"get by a link of /proc", gets_by_link},
	{"find a program of outside", program},
	{"find it again", program},
	{"find a map of outside", map},
	{"find what is not there", nothing},
	{"find its own link", own_link},
	{"unknown command", unknown_command},
	{"load", loads},
	{"load what a policy denies", loads_what_is_denied},
	{"load what is no program", loads_unreadable},
	{"load with a token", with_token},
	{"load with many fds", with_many_fds},
	{"create a map with a token", map_with_token},
	{"create a large map", large_map},
	{"longer attr", longer_attr},
	{"attr without memory", attr_without_memory},
	{"unknown field", unknown_field},
	{"unknown attach type", unknown_type},
	{"run often", repeats},
	{"make a token", token},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "stay"))
		stay();
	for (size_t i = 0; i < sizeof(ACTS) / sizeof(*ACTS); i++) {
		int status;

		if (argc > 1 && strcmp(ACTS[i].name, argv[1]))
			continue;
		errno = 0;
		pid_t child = fork();
		if (child == 0) {
			long result = ACTS[i].act();

			_exit(result >= 0 ? 0 : errno);
		}
		waitpid(child, &status, 0);
		if (WIFSIGNALED(status))
			printf("%s: killed by %d\n", ACTS[i].name, WTERMSIG(status));
		else
			printf("%s: %s\n", ACTS[i].name, WEXITSTATUS(status) == 0 ? "done" : strerrorname_np(WEXITSTATUS(status)));
	}
	return 0;
}
