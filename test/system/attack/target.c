// target: what a command can change of the process that started it, by every call that names another process. Each line
// is one act and what came of it. HARMLESS: only acts on itself and on others, which a gate must not keep it from.
#include "bpf.h"
#include <dirent.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/resource.h>

#define CPU_SECONDS 1000000

static pid_t gate, thread_of_gate, child;

struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

// The kernel takes the low word of the register.
static long wide(pid_t pid)
{
	struct rlimit64 cpu = {CPU_SECONDS, CPU_SECONDS};

	return syscall(SYS_prlimit64, 1L << 32 | pid, RLIMIT_CPU, &cpu, NULL);
}

static long limit(pid_t pid)
{
	struct rlimit64 cpu = {CPU_SECONDS, CPU_SECONDS};

	return syscall(SYS_prlimit64, pid, RLIMIT_CPU, &cpu, NULL);
}

static long limits_of(pid_t pid)
{
	struct rlimit64 old;

	return syscall(SYS_prlimit64, pid, RLIMIT_CPU, NULL, &old);
}

static long affinity(pid_t pid)
{
	unsigned long first = 1;

	return syscall(SYS_sched_setaffinity, pid, sizeof(first), &first);
}

static long scheduler(pid_t pid)
{
	struct sched_param param = {};

	return syscall(SYS_sched_setscheduler, pid, SCHED_BATCH, &param);
}

static long param(pid_t pid)
{
	struct sched_param none = {};

	return syscall(SYS_sched_setparam, pid, &none);
}

static long attributes(pid_t pid)
{
	struct scheduling batch = {.size = 48, .policy = SCHED_BATCH};

	return syscall(SYS_sched_setattr, pid, &batch, 0);
}

static long priority(int which, int who) { return syscall(SYS_setpriority, which, who, 5); }
static long io(int which, int who) { return syscall(SYS_ioprio_set, which, who, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7)); }

static long write_score(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", gate);
	int fd = open(path, O_WRONLY);

	return fd < 0 ? -1 : write(fd, "1000", 4);
}

static long read_environment(void)
{
	static char text[1 << 16];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", gate);
	long length = read(open(path, O_RDONLY), text, sizeof(text));

	for (long i = 0; i < length; i++)
		if (text[i] != 0)
			return 0;
	return errno = length < 0 ? errno : ENODATA, -1;
}

#define BY_PID(of, call, name) \
	of(name " of the gate", call(gate)) of(name " of a thread of the gate", call(thread_of_gate))

#define GATE(of) \
	BY_PID(of, limit, "limits") \
	of("limits of the gate in a wide register", wide(gate)) \
	BY_PID(of, affinity, "affinity") \
	BY_PID(of, scheduler, "scheduler") \
	BY_PID(of, param, "parameters") \
	BY_PID(of, attributes, "attributes") \
	of("priority of the gate", priority(PRIO_PROCESS, gate)) \
	of("priority of a thread of the gate", priority(PRIO_PROCESS, thread_of_gate)) \
	of("priority of the own group, with the gate in it", priority(PRIO_PGRP, 0)) \
	of("priority of the gate's group", priority(PRIO_PGRP, getpgid(gate))) \
	of("priority of the own user, who is the gate's", priority(PRIO_USER, 0)) \
	of("priority of the gate's user", priority(PRIO_USER, getuid())) \
	of("priority for I/O of the gate", io(IOPRIO_WHO_PROCESS, gate)) \
	of("priority for I/O of the gate's group", io(IOPRIO_WHO_PGRP, getpgid(gate))) \
	of("priority for I/O of the gate's user", io(IOPRIO_WHO_USER, 0)) \
	of("signal to the gate", kill(gate, SIGURG)) \
	of("its environment", read_environment()) \
	of("its oom_score_adj", write_score())

#define OTHERS(of) \
	of("limits of itself", limit(0)) \
	of("limits of itself by pid", limit(getpid())) \
	of("limits of a child", limit(child)) \
	of("limits of nobody", limit(0x3fffffff)) \
	of("limits of less than nobody", limit(-1)) \
	of("affinity of itself", affinity(0)) \
	of("affinity of a thread by its id", affinity(gettid())) \
	of("affinity of a child", affinity(child)) \
	of("scheduler of itself", scheduler(0)) \
	of("scheduler of a child", scheduler(child)) \
	of("parameters of a child", param(child)) \
	of("attributes of itself", attributes(0)) \
	of("attributes of a child", attributes(child)) \
	of("priority of itself", priority(PRIO_PROCESS, 0)) \
	of("priority of a child", priority(PRIO_PROCESS, child)) \
	of("priority of another group", priority(PRIO_PGRP, child)) \
	of("priority of a user without processes", priority(PRIO_USER, 4294967)) \
	of("priority of a kind that is none", priority(3, 0)) \
	of("priority for I/O of itself", io(IOPRIO_WHO_PROCESS, 0)) \
	of("priority for I/O of a child", io(IOPRIO_WHO_PROCESS, child)) \
	of("priority for I/O of another group", io(IOPRIO_WHO_PGRP, child)) \
	of("priority for I/O of a kind that is none", io(0, 0)) \
	of("what limits the parent has", limits_of(getppid()))

static void say(const char *what, long result)
{
	printf("%s: %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
}

#define SAY(what, expression) errno = 0, say(what, expression);

int main(void)
{
	char path[64];
	struct dirent *entry;

	setvbuf(stdout, NULL, _IOLBF, 0);
	gate = getenv("GATE") ? atoi(getenv("GATE")) : getppid();
	snprintf(path, sizeof(path), "/proc/%d/task", gate);
	DIR *tasks = opendir(path);
	// the oldest one: others may end meanwhile
	while (tasks && (entry = readdir(tasks)) && thread_of_gate == 0)
		if (atoi(entry->d_name) > 0 && atoi(entry->d_name) != gate)
			thread_of_gate = atoi(entry->d_name);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(child, child);
	OTHERS(SAY)
	if (!getenv("HARMLESS")) {
		GATE(SAY)
	}
	kill(child, SIGKILL);
	return 0;
}
