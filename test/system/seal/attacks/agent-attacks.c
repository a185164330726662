/* The agent of the guard, and tickets, which only the agent can write. */
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../../../src/seal/guard/interface.h"
#include "../../../../src/seal/guard/sha256.h"
#include "attack.h"
#include "bpf.h"

/* What `attacks -a` is: a process that a test marks as the agent. */
void be_agent(void)
{
	for (;;)
		pause();
}

pid_t agent_of_guard(void)
{
	struct guard_status status = {0};
	uint32_t key = 0;
	union bpf_attr attr = {0};
	attr.map_fd = map_of_guard(GUARD_STATUS, BPF_F_RDONLY);
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&status;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr) || status.agent == 0)
		skipped("there is no agent");
	return (pid_t)status.agent;
}

static void trace_agent(void)
{
	if (ptrace(PTRACE_SEIZE, agent_of_guard(), 0, 0))
		held("PTRACE_SEIZE");
	broken("traces the agent");
}

static void take_fd_of_agent(void)
{
	int agent = syscall(SYS_pidfd_open, agent_of_guard(), 0);
	if (syscall(SYS_pidfd_getfd, agent, STDIN_FILENO, 0) < 0)
		held("pidfd_getfd");
	broken("has an fd of the agent");
}

static void open_memory_of_agent(void)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/%d/mem", agent_of_guard());
	if (open(path, O_RDWR) < 0)
		held(path);
	broken("can write the memory of the agent");
}

static void signal_agent(void)
{
	pid_t agent = agent_of_guard();
	if (kill(agent, SIGSTOP))
		held("kill");
	kill(agent, SIGCONT);
	broken("stopped the agent");
}

/* A ticket for the program of load_unlisted() and this thread. Returns whether the guard took it. */
static bool write_ticket(void)
{
	const struct bpf_insn code[] = {MOV(0, UNLISTED_RESULT), EXIT};
	struct guard_ticket ticket = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER, .gpl_compatible = 1};
	struct sha256 sha = {0};
	struct timespec now;
	sha256_begin(&sha);
	memcpy(sha.bytes, code, sizeof code);
	sha256_finish(&sha, sizeof code);
	memcpy(ticket.digest, sha.h, sizeof ticket.digest);
	clock_gettime(CLOCK_BOOTTIME, &now);
	ticket.deadline = (now.tv_sec + 30) * 1000000000ULL;
	return bpf(GUARD_COMMAND_TICKET, (union bpf_attr *)&ticket, sizeof ticket) == -1 && errno == EALREADY;
}

static void write_as_root(void)
{
	if (write_ticket())
		broken("the guard took a ticket");
	end_with_unlisted_load("wrote a ticket");
}

static void claim_agent(void)
{
	uint32_t mark = 1;
	int self = syscall(SYS_pidfd_open, getpid(), 0);
	union bpf_attr attr = {0};
	int map = map_of_guard("guard_agent", 0);
	if (map < 0)
		held("map guard_agent");
	attr.map_fd = map;
	attr.key = (uintptr_t)&self;
	attr.value = (uintptr_t)&mark;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof attr))
		held("write of guard_agent");
	if (!write_ticket())
		held("ticket");
	broken("is the agent, and wrote a ticket");
}

const struct attack agent_attacks[] = {
    {"trace-agent", trace_agent},
    {"fd-of-agent", take_fd_of_agent},
    {"memory-of-agent", open_memory_of_agent},
    {"signal-agent", signal_agent},
    {"write-ticket", write_as_root},
    {"claim-agent", claim_agent},
    {0},
};
