// listener [wait | outlive]: every way to a seccomp listener of its own, by which a task would answer its own calls, and
// what else is left to a task whose gate is gone, such as io_uring. With `wait` or `outlive` a child says `ready`,
// waits until that is so (ENOSYS), and makes the tries; the command itself waits for it, or ends. A result that several
// tries have in common is printed once.
#include "outside.h"
#include "uring.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>

#define LOW(value) ((uint32_t)(uintptr_t)(value))
// asm/unistd_32.h and __X32_SYSCALL_BIT of asm/unistd.h
#define I386_SECCOMP 354
#define X32_BIT 0x40000000
#define SUSPEND_SECCOMP (1 << 21)
#define LAST_FLAG 64

// What a try came to, if it was no errno.
enum { DONE = 0, LISTENER = -1 };

// A filter for each layout of struct sock_fprog, at addresses that i386 and x32 can name.
struct shared {
	struct sock_filter code[4];
	struct sock_fprog native;
	struct {
		uint16_t len;
		uint32_t filter;
	} compat;
	int outcome;
	int fd;
};
static struct shared *shared;

static void make_shared(void)
{
	struct sock_filter code[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	memcpy(shared->code, code, sizeof(code));
	shared->native = (struct sock_fprog){4, shared->code};
	shared->compat.len = 4;
	shared->compat.filter = LOW(shared->code);
}

static int is_listener(long fd)
{
	char path[64], name[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
	return fd >= 0 && readlink(path, name, sizeof(name) - 1) > 0 && strcmp(name, "anon_inode:seccomp notify") == 0;
}

enum abi { X86_64, I386, X32 };
static const char *const ABIS[] = {"x86-64", "i386", "x32"};

static long install(enum abi abi, uint64_t op, uint64_t flags, uint64_t pointer)
{
	long result;

	if (abi != I386)
		return syscall(SYS_seccomp | (abi == X32 ? X32_BIT : 0), op, flags, pointer);
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(I386_SECCOMP), "b"(op), "c"(flags), "d"(pointer) : "memory", "r8", "r9", "r10", "r11");
	if (result < 0 && result > -4096) {
		errno = -result;
		return -1;
	}
	return result;
}

// A process of its own makes each try: what it installs ends with it.
static int tried(enum abi abi, uint64_t op, uint64_t flags, uint64_t pointer)
{
	int status;
	pid_t child;

	shared->outcome = 9999;
	child = fork();
	if (child == 0) {
		long result = install(abi, op, flags, pointer);

		shared->outcome = result < 0 ? errno : is_listener(result) ? LISTENER : DONE;
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : shared->outcome;
}

static const char *named(int outcome)
{
	return outcome == LISTENER ? "LISTENER" : outcome == DONE ? "done" : outcome >= 1000 ? sigabbrev_np(outcome - 1000) : strerrorname_np(outcome);
}

static void say_tries(enum abi abi, int listener, const char *what, uint64_t pointer)
{
	int seen[16], count = 0, tries = 0;

	for (uint64_t flags = 0; flags < LAST_FLAG; flags++)
		for (uint64_t high = 0; high < 2; high++) {
			int outcome, at = 0;

			if (((flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0) != listener || (high && abi == I386))
				continue;
			outcome = tried(abi, high << 32 | SECCOMP_SET_MODE_FILTER, high << 32 | flags, pointer);
			tries++;
			while (at < count && seen[at] != outcome)
				at++;
			if (at == count && count < 16)
				seen[count++] = outcome;
		}
	printf("%s, %s, %s:", ABIS[abi], listener ? "listener" : "none", what);
	for (int at = 0; at < count; at++)
		printf(" %s", named(seen[at]));
	printf("\n");
}

static void *load_under_own(void *unused)
{
	shared->fd = install(X86_64, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, (uintptr_t)&shared->native);
	shared->outcome = load(BAD, 2) < 0 ? errno : DONE;
	return unused;
}

// What the listener is for: it lets the kernel continue with a load that the gate would deny.
static void say_load(void)
{
	pthread_t thread;

	shared->fd = -2;
	pthread_create(&thread, NULL, load_under_own, NULL);
	while (*(volatile int *)&shared->fd == -2)
		usleep(1000);
	if (shared->fd >= 0) {
		struct pollfd ready = {shared->fd, POLLIN, 0};
		struct seccomp_notif call = {};

		if (poll(&ready, 1, 10000) == 1 && ioctl(shared->fd, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0) {
			struct seccomp_notif_resp reply = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

			ioctl(shared->fd, SECCOMP_IOCTL_NOTIF_SEND, &reply);
		}
	}
	pthread_join(thread, NULL);
	printf("a load under its own listener: %s\n", named(shared->outcome));
}

// A tracer can have the kernel leave out the filters of its tracee, if it has none itself.
static void say_suspend(void)
{
	pid_t child = fork();
	long result;

	if (child == 0) {
		raise(SIGSTOP);
		_exit(load(BAD, 2) < 0 ? errno : 0);
	}
	waitpid(child, NULL, WUNTRACED);
	result = ptrace(PTRACE_SEIZE, child, 0, SUSPEND_SECCOMP);
	SAY("seizing with suspended filters", result);
	if (result < 0)
		SAY("seizing", ptrace(PTRACE_SEIZE, child, 0, 0));
	ptrace(PTRACE_INTERRUPT, child, 0, 0);
	waitpid(child, NULL, __WALL);
	SAY("suspending filters", ptrace(PTRACE_SETOPTIONS, child, 0, SUSPEND_SECCOMP));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

// Takes fds of a process outside, and looks whether one is a listener.
static void say_taking(const char *what, pid_t pid)
{
	int process = syscall(SYS_pidfd_open, pid, 0), taken = 0, listeners = 0;

	for (int number = 0; process >= 0 && number < 256; number++) {
		int fd = syscall(SYS_pidfd_getfd, process, number, 0);

		if (fd < 0)
			continue;
		taken++;
		listeners += is_listener(fd);
		close(fd);
	}
	printf("fds of %s: %s\n", what, listeners ? "LISTENER" : taken ? "taken" : "none");
}

static void say_issued(int prog, int map)
{
	uint64_t value = 7;
	int pair[2];

	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	SAY("attaching its program to a socket", setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)));
	say_run("running its program", prog);
	SAY("writing to its map", set_element(map, 0, &value));
	SAY("another map", (long)array(8));
	SAY("a load", (long)load(GOOD, 2));
	SAY("a module", syscall(SYS_init_module, "", 0, ""));
	SAY("a kernel", syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

// Operations of io_uring that do not fail on a program, a map, or a socket, by their numbers.
static void say_uring(const char *whose, unsigned flags, int prog, int map)
{
	int fds[] = {prog, map, socket(AF_INET, SOCK_DGRAM, 0)}, count;
	struct io_uring_params params = {.flags = flags};
	int fd = syscall(SYS_io_uring_setup, 8, &params);
	char line[1024] = "";

	if (fd < 0) {
		printf("io_uring of %s: %s\n", whose, strerrorname_np(errno));
		return;
	}
	count = operations(fd);
	close(fd);
	for (int op = 0; op < count; op++) {
		int done = 0;

		for (int kind = 0; kind < 3; kind++)
			for (enum given given = ALL; given < GIVEN && !done; given += FD - ALL)
				done = does_not_fail(flags, op, fds[kind], given, 50);
		if (done)
			snprintf(line + strlen(line), sizeof(line) - strlen(line), " %d", op);
	}
	printf("io_uring of %s:%s\n", whose, line);
}

int main(int argc, char **argv)
{
	pid_t gate = getenv("GATE") ? atoi(getenv("GATE")) : 1;
	int prog = load(GOOD, 2), map = array(8);
	struct sock_fprog *native;

	make_shared();
	native = &shared->native;
	if (argc > 1) {
		pid_t child = fork();

		if (child > 0)
			return strcmp(argv[1], "wait") == 0 ? waitpid(child, NULL, 0) < 0 : 0;
		signal(SIGTERM, SIG_IGN);
		puts("ready");
		fflush(stdout);
		while (bpf(BPF_PROG_GET_NEXT_ID, NULL, 0) == 0 || errno != ENOSYS)
			usleep(1000);
	}
	setvbuf(stdout, NULL, _IOLBF, 0); // whoever reads on sees whole lines
	for (enum abi abi = X86_64; abi <= X32; abi++)
		for (int listener = 1; listener >= 0; listener--) {
			say_tries(abi, listener, "a filter", abi == X86_64 ? (uintptr_t)native : (uintptr_t)&shared->compat);
			say_tries(abi, listener, "NULL", 0);
			say_tries(abi, listener, "no memory", 0x1000);
		}
	say_load();
	say_suspend();
	say_taking("process 1", 1);
	say_taking("the gate", gate);
	SAY("a signal to process 1", kill(1, 0));
	say_uring("the task", 0, prog, map);
	say_uring("a thread of the kernel", IORING_SETUP_SQPOLL, prog, map);
	say_issued(prog, map);
	return 0;
}
