/* Other ways to the agent than kill(2) and ptrace(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "attack.h"

/* The agent is this program, without an address space layout of its own: a variable has the same address in both. */
static volatile uint64_t written;

static void write_agent_memory(void)
{
	uint64_t value = UNLISTED_RESULT;
	struct iovec from = {&value, sizeof value}, to = {(void *)&written, sizeof written};
	if (syscall(SYS_process_vm_writev, agent_of_guard(), &from, 1UL, &to, 1UL, 0UL) < 0)
		held("process_vm_writev");
	broken("wrote the memory of the agent");
}

/* Whether the agent is stopped, within a second. */
static bool is_stopped(pid_t agent)
{
	char path[32], text[512];
	snprintf(path, sizeof path, "/proc/%d/stat", agent);
	for (int round = 0; round < 50; round++) {
		int file = open(path, O_RDONLY);
		ssize_t size = read(file, text, sizeof text - 1);
		close(file);
		text[size > 0 ? size : 0] = 0;
		char *state = strrchr(text, ')');
		if (state && state[2] == 'T')
			return true;
		usleep(20000);
	}
	return false;
}

static void queue_signal(void)
{
	pid_t agent = agent_of_guard();
	siginfo_t info = {.si_code = SI_QUEUE};
	int by_pidfd = syscall(SYS_pidfd_open, agent, 0);
	if (syscall(SYS_pidfd_send_signal, by_pidfd, SIGSTOP, NULL, 0) && syscall(SYS_tgkill, agent, agent, SIGSTOP) &&
	    syscall(SYS_rt_sigqueueinfo, agent, SIGSTOP, &info) &&
	    syscall(SYS_rt_tgsigqueueinfo, agent, agent, SIGSTOP, &info))
		held("pidfd_send_signal, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo");
	kill(agent, SIGCONT);
	broken("stopped the agent");
}

/* A socket whose owner is the agent: input sends it the signal that F_SETSIG names. */
static void signal_by_socket(pid_t agent, int signal)
{
	int sockets[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) || fcntl(sockets[0], F_SETOWN, agent) ||
	    fcntl(sockets[0], F_SETSIG, signal) || fcntl(sockets[0], F_SETFL, O_ASYNC | O_NONBLOCK))
		held("F_SETOWN, F_SETSIG or O_ASYNC");
	if (write(sockets[1], "x", 1) != 1)
		held("write");
	close(sockets[0]);
	close(sockets[1]);
}

static void signal_by_owner(void)
{
	pid_t agent = agent_of_guard();
	signal_by_socket(agent, SIGSTOP);
	bool stopped = is_stopped(agent);
	signal_by_socket(agent, SIGCONT);
	if (!stopped) {
		errno = EPERM;
		held("the agent goes on");
	}
	broken("stopped the agent by F_SETSIG");
}

/* An event of perf in the agent that sends it SIGTRAP, which ends it. */
static void perf_signal(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_PAGE_FAULTS,
				       .size = sizeof attr,
				       .sample_period = 1,
				       .exclude_kernel = 1,
				       .remove_on_exec = 1,
				       .sigtrap = 1,
				       .disabled = 1};
	if (syscall(SYS_perf_event_open, &attr, agent_of_guard(), -1, -1, 0UL) < 0)
		held("perf_event_open");
	broken("an event of perf is ready to end the agent");
}

const struct attack signal_attacks[] = {
    {"write-agent-memory", write_agent_memory},
    {"queue-signal", queue_signal},
    {"signal-by-owner", signal_by_owner},
    {"perf-signal", perf_signal},
    {0},
};
