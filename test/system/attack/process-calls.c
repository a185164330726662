// process-calls: every call that names another process or thread, by a pid, a tid, a group, a user or a pidfd, on the
// process that started this one, its gate, and on a thread of it. Prints what came of each: `call: done` or the errno.
// What may succeed changes nothing that matters. `events`: only the calls of perf_event_open(2). `outlived`: all of
// them when the gate has ended, on the process that started it.
#include "bpf.h"
#include <dirent.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

// Of kernels that are newer than some headers.
#define PR_SCHED_CORE 62
#define SHARE_TO 2
#define CREATE 1

static pid_t gate, thread_of_gate;
static int pidfd;

static long event(pid_t pid, int sigtrap, int type, unsigned flags)
{
	struct perf_event_attr attr = {.type = type, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK};

	attr.sample_period = 100000;
	attr.exclude_kernel = 1;
	attr.sigtrap = sigtrap;
	attr.remove_on_exec = sigtrap;
	if (type == PERF_TYPE_BREAKPOINT) {
		attr.config = 0;
		attr.bp_type = 4; // HW_BREAKPOINT_X
		attr.bp_addr = (uintptr_t)event;
		attr.bp_len = 8;
		attr.sample_period = 1;
	}
	long fd = syscall(SYS_perf_event_open, &attr, pid, pid == -1 ? 0 : -1, -1, flags);

	if (fd >= 0)
		close(fd);
	return fd;
}

// An event of all processes of the cgroup at the root of its hierarchy.
static long event_of_cgroup(void)
{
	const char *roots[] = {"/sys/fs/cgroup/perf_event", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK};

	for (size_t i = 0; i < 3; i++) {
		int fd = open(roots[i], O_RDONLY | O_DIRECTORY);
		long made = fd < 0 ? -1 : syscall(SYS_perf_event_open, &attr, fd, 0, -1, PERF_FLAG_PID_CGROUP);

		if (made >= 0)
			return close(made), close(fd), made;
		close(fd);
	}
	return -1;
}

static long vector(long number)
{
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {(void *)event, 1};

	return syscall(number, gate, &here, 1L, &there, 1L, 0L);
}

static long sent(long number, int to_thread)
{
	siginfo_t info = {.si_signo = SIGURG, .si_code = SI_QUEUE};

	return to_thread ? syscall(number, gate, thread_of_gate, SIGURG, &info) : syscall(number, gate, SIGURG, &info);
}

// The owner of a file gets its signals. That it can be set says nothing: what counts is whether SIGKILL comes, by which
// the gate would end.
static long own(int with_type)
{
	struct f_owner_ex thread = {F_OWNER_TID, thread_of_gate};
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	long result = with_type ? fcntl(pair[0], F_SETOWN_EX, &thread) : fcntl(pair[0], F_SETOWN, gate);

	fcntl(pair[0], F_SETSIG, SIGKILL);
	fcntl(pair[0], F_SETFL, O_ASYNC);
	if (write(pair[1], "", 1) < 0)
		return -1;
	close(pair[0]);
	close(pair[1]);
	return result;
}

static long own_by_ioctl(void)
{
	int pair[2], pid = gate;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	long result = ioctl(pair[0], 0x8901, &pid); // FIOSETOWN

	fcntl(pair[0], F_SETSIG, SIGKILL);
	fcntl(pair[0], F_SETFL, O_ASYNC);
	if (write(pair[1], "", 1) < 0)
		return -1;
	close(pair[0]);
	close(pair[1]);
	return result;
}

static long timer(int notify, clockid_t clock)
{
	struct sigevent event = {.sigev_notify = notify, .sigev_signo = SIGURG};
	int timer;

	event._sigev_un._tid = thread_of_gate;
	return syscall(SYS_timer_create, clock, &event, &timer);
}

static long moved(void)
{
	void *page = (void *)((uintptr_t)event & ~4095UL);
	int node = 0, status = 0;

	return syscall(SYS_move_pages, gate, 1L, &page, &node, &status, 0L);
}

static long migrated(void)
{
	unsigned long node = 1;

	return syscall(SYS_migrate_pages, gate, 8L, &node, &node);
}

// The first pages of the gate, which CAP_PERFMON shows from Linux 6.15 on; else a place that is none of its own.
static long advised(void)
{
	struct iovec range = {(void *)4096, 4096};
	char path[64];
	unsigned long start;

	snprintf(path, sizeof(path), "/proc/%d/maps", gate);
	FILE *maps = fopen(path, "r");
	if (maps != NULL && fscanf(maps, "%lx-", &start) == 1)
		range.iov_base = (void *)start;
	if (maps != NULL)
		fclose(maps);
	return syscall(SYS_process_madvise, pidfd, &range, 1L, 20L /* MADV_COLD */, 0L);
}

static long limited(void)
{
	struct rlimit64 none = {0, 0};

	return syscall(SYS_prlimit64, gate, RLIMIT_CORE, &none, NULL);
}

static long scheduled(long number)
{
	struct sched_param param = {};
	struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t times[3]; } attr = {.size = 48, .policy = SCHED_BATCH};
	unsigned long first = 1;

	switch (number) {
	case SYS_sched_setparam:
		return syscall(number, gate, &param);
	case SYS_sched_setscheduler:
		return syscall(number, gate, SCHED_IDLE, &param);
	case SYS_sched_setaffinity:
		return syscall(number, gate, sizeof(first), &first);
	default:
		return syscall(number, gate, &attr, 0);
	}
}

static long read_scheduling(long number)
{
	char into[128] = {};

	switch (number) {
	case SYS_sched_getscheduler:
		return syscall(number, gate);
	case SYS_sched_getaffinity:
		return syscall(number, gate, sizeof(into), into);
	case SYS_sched_getattr:
		return syscall(number, gate, into, 48, 0);
	default:
		return syscall(number, gate, into);
	}
}

static long capabilities(long number, pid_t pid)
{
	uint32_t header[2] = {0x20080522, pid}, data[6] = {};

	return syscall(number, header, data);
}

static long robust(void)
{
	void *head;
	size_t size;

	return syscall(SYS_get_robust_list, gate, &head, &size);
}

static long clocked(void)
{
	struct timespec now;

	return syscall(SYS_clock_gettime, ~(clockid_t)gate << 3 | 2, &now);
}

// In a process of its own, which would have lost its session's keys, its tracer or its namespaces.
static long in_child(long (*call)(void))
{
	int pipes[2], said[2];

	if (pipe(pipes))
		return -1;
	pid_t child = fork();
	if (child == 0) {
		errno = 0;
		said[0] = call() < 0 ? -1 : 0;
		said[1] = errno;
		_exit(write(pipes[1], said, sizeof(said)) < 0);
	}
	waitpid(child, NULL, 0);
	if (read(pipes[0], said, sizeof(said)) != sizeof(said))
		return errno = ENODATA, -1;
	close(pipes[0]);
	close(pipes[1]);
	errno = said[1];
	return said[0];
}

static long entered(void) { return syscall(SYS_setns, pidfd, CLONE_NEWNET); }
static long entered_user(void) { return syscall(SYS_setns, pidfd, CLONE_NEWUSER); }

static long queried(void)
{
	union bpf_attr attr = {};

	attr.task_fd_query.pid = gate;
	return bpf(BPF_TASK_FD_QUERY, &attr, sizeof(attr));
}

static long cloned(void)
{
	pid_t set[1] = {gate};
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)set, .set_tid_size = 1};
	long made = syscall(SYS_clone3, &args, sizeof(args));

	if (made == 0)
		_exit(0);
	return made;
}

// The nice value that the user's processes have: nobody's changes if this is not denied.
static long priority_of_user(void)
{
	return syscall(SYS_setpriority, PRIO_USER, getuid(), 20 - syscall(SYS_getpriority, PRIO_USER, getuid()));
}

static void say(const char *what, long result)
{
	if (result < 0 && strerrorname_np(errno) == NULL)
		printf("%s: errno %d\n", what, errno); // 524, ENOTSUPP, is the kernel's own
	else
		printf("%s: %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
}

#define TRY(name, expression) errno = 0, say(name, expression)

static void try_events(void)
{
	TRY("perf_event_open, sigtrap", event(gate, 1, PERF_TYPE_SOFTWARE, 0));
	TRY("perf_event_open, sigtrap, a thread", event(thread_of_gate, 1, PERF_TYPE_SOFTWARE, PERF_FLAG_FD_CLOEXEC));
	TRY("perf_event_open, sigtrap, a breakpoint", event(thread_of_gate, 1, PERF_TYPE_BREAKPOINT, 0));
	TRY("perf_event_open, samples", event(gate, 0, PERF_TYPE_SOFTWARE, 0));
	TRY("perf_event_open, samples of all", event(-1, 0, PERF_TYPE_SOFTWARE, 0));
	TRY("perf_event_open, sigtrap to all", event(-1, 1, PERF_TYPE_SOFTWARE, 0));
	TRY("perf_event_open, samples of a cgroup", event_of_cgroup());
	TRY("perf_event_open, itself", event(0, 0, PERF_TYPE_SOFTWARE, 0));
	TRY("perf_event_open, itself by its id", event(getpid(), 0, PERF_TYPE_SOFTWARE, 0));
	TRY("perf_event_open, nobody", event(0x3fffffff, 0, PERF_TYPE_SOFTWARE, 0));
}

static void try_all(void)
{
	siginfo_t info;

	TRY("kill", kill(gate, SIGURG));
	TRY("tkill", syscall(SYS_tkill, thread_of_gate, SIGURG));
	TRY("tgkill", syscall(SYS_tgkill, gate, thread_of_gate, SIGURG));
	TRY("rt_sigqueueinfo", sent(SYS_rt_sigqueueinfo, 0));
	TRY("rt_tgsigqueueinfo", sent(SYS_rt_tgsigqueueinfo, 1));
	TRY("pidfd_open", pidfd);
	TRY("pidfd_send_signal", syscall(SYS_pidfd_send_signal, pidfd, SIGURG, NULL, 0));
	TRY("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
	TRY("setns", in_child(entered));
	TRY("setns, user", in_child(entered_user));
	TRY("fcntl, F_SETOWN", own(0));
	TRY("fcntl, F_SETOWN_EX", own(1));
	TRY("ioctl, FIOSETOWN", own_by_ioctl());
	TRY("timer_create, SIGEV_THREAD_ID", timer(SIGEV_THREAD_ID, CLOCK_MONOTONIC));
	TRY("timer_create, its clock", timer(SIGEV_NONE, ~(clockid_t)gate << 3 | 2));
	TRY("clock_gettime", clocked());
	TRY("ptrace, PTRACE_ATTACH", ptrace(PTRACE_ATTACH, thread_of_gate, 0, 0));
	TRY("ptrace, PTRACE_SEIZE", ptrace(PTRACE_SEIZE, gate, 0, 0));
	TRY("process_vm_readv", vector(SYS_process_vm_readv));
	TRY("process_vm_writev", vector(SYS_process_vm_writev));
	TRY("process_madvise", advised());
	TRY("process_mrelease", syscall(SYS_process_mrelease, pidfd, 0));
	TRY("kcmp", syscall(SYS_kcmp, getpid(), gate, KCMP_FILE, 0, 0));
	TRY("move_pages", moved());
	TRY("migrate_pages", migrated());
	TRY("get_robust_list", robust());
	TRY("prlimit64", limited());
	TRY("setpriority", syscall(SYS_setpriority, PRIO_PROCESS, gate, 19));
	TRY("setpriority, PRIO_PGRP", syscall(SYS_setpriority, PRIO_PGRP, getpgid(gate), 19));
	TRY("setpriority, PRIO_USER", priority_of_user());
	TRY("getpriority", syscall(SYS_getpriority, PRIO_PROCESS, gate));
	TRY("ioprio_set", syscall(SYS_ioprio_set, 1, gate, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0)));
	TRY("ioprio_get", syscall(SYS_ioprio_get, 1, gate));
	TRY("sched_setparam", scheduled(SYS_sched_setparam));
	TRY("sched_setscheduler", scheduled(SYS_sched_setscheduler));
	TRY("sched_setaffinity", scheduled(SYS_sched_setaffinity));
	TRY("sched_setattr", scheduled(SYS_sched_setattr));
	TRY("sched_getparam", read_scheduling(SYS_sched_getparam));
	TRY("sched_getscheduler", read_scheduling(SYS_sched_getscheduler));
	TRY("sched_getaffinity", read_scheduling(SYS_sched_getaffinity));
	TRY("sched_getattr", read_scheduling(SYS_sched_getattr));
	TRY("sched_rr_get_interval", read_scheduling(SYS_sched_rr_get_interval));
	TRY("prctl, PR_SCHED_CORE_CREATE", prctl(PR_SCHED_CORE, CREATE, gate, 0, 0));
	TRY("prctl, PR_SCHED_CORE_SHARE_TO", prctl(PR_SCHED_CORE, SHARE_TO, gate, 0, 0));
	try_events();
	TRY("capget", capabilities(SYS_capget, gate));
	TRY("capset", capabilities(SYS_capset, gate));
	TRY("fsetxattr", syscall(SYS_fsetxattr, pidfd, "trusted.gate", "1", 1L, 0));
	TRY("setpgid", setpgid(gate, 0));
	TRY("getpgid", getpgid(gate));
	TRY("getsid", getsid(gate));
	TRY("wait4", wait4(gate, NULL, WNOHANG, NULL));
	TRY("waitid", waitid(P_PID, gate, &info, WEXITED | WNOHANG));
	TRY("keyctl, KEYCTL_SESSION_TO_PARENT", syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT));
	TRY("bpf, BPF_TASK_FD_QUERY", queried());
	TRY("clone3, set_tid", cloned());
}

int main(int argc, char **argv)
{
	char path[64];
	struct dirent *entry;

	setvbuf(stdout, NULL, _IOLBF, 0);
	gate = thread_of_gate = getppid();
	if (argc > 1 && strcmp(argv[1], "outlived") == 0) {
		// the command ends, and with it the gate, while a child goes on; the process that started the gate is left
		pid_t first = gate;
		FILE *stat;

		snprintf(path, sizeof(path), "/proc/%d/stat", gate);
		stat = fopen(path, "r");
		if (stat == NULL || fscanf(stat, "%*d (%*[^)]) %*c %d", &gate) != 1 || fclose(stat))
			return 1;
		thread_of_gate = gate;
		if (fork() > 0)
			return 0;
		while (kill(first, 0) == 0 || errno != ESRCH)
			usleep(10000);
	} else {
		snprintf(path, sizeof(path), "/proc/%d/task", gate);
		DIR *tasks = opendir(path);
		// the oldest one: others may end meanwhile
		while (tasks && (entry = readdir(tasks)) && thread_of_gate == gate)
			if (atoi(entry->d_name) > 0)
				thread_of_gate = atoi(entry->d_name);
	}
	pidfd = syscall(SYS_pidfd_open, gate, 0);
	if (argc > 1 && strcmp(argv[1], "events") == 0)
		return try_events(), 0;
	try_all();
	TRY("good", load(GOOD, 2));
	TRY("bad", load(BAD, 2));
	return 0;
}
