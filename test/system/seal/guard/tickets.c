// The agent of a guest. `tickets agent RACES` has the loader seal the guest with this process as the agent, and prints
// a line for each load: its name, the errno, and the reason that the guard counted.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"
#include "tickets.h"

#define SELF "/bin/tickets"

// A child that waits for the agent, and then does something. It is not the agent.
struct child {
	pid_t pid;
	int socket;
};

static struct child start_child(void (*act)(void))
{
	struct child child;
	int sockets[2];
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
	child.pid = fork();
	child.socket = sockets[0];
	if (child.pid == 0) {
		close(sockets[0]);
		if (read(sockets[1], &byte, 1) == 1)
			act();
		_exit(0);
	}
	close(sockets[1]);
	return child;
}

static void end_child(const struct child *child)
{
	if (write(child->socket, "", 1) != 1)
		perror("child");
	waitpid(child->pid, NULL, 0);
	close(child->socket);
}

static int write_for(pid_t task, const char *program)
{
	struct guard_ticket ticket = ticket_for(program);

	ticket.tid = task;
	return write_ticket(&ticket);
}

static void load_cgroup(void) { load_named("task with a ticket", "cgroup"); load_named("task, again", "cgroup"); }
static void load_as_child(void) { load_named("child of a task with a ticket", "cgroup"); }
static void load_reused(void) { load_named("process with the id of one that had a ticket", "cgroup"); }
static void execute(void) { execl(SELF, SELF, "load", NULL); }
static void end(void) {}

static void load_dead(void)
{
	struct load load = {.program = *program_named("dead"), .threaded = true};

	load_and_report("dead reference, of another task with a thread", &load);
}

static void write_as_root(void)
{
	struct guard_ticket ticket = ticket_for("cgroup");
	struct guard_status before = read_status();

	report("ticket written by root", write_ticket(&ticket), &before);
	load_named("root, after it", "cgroup");
}

static void run_tasks(void)
{
	struct child child = start_child(load_cgroup);

	printf("ticket for a task: %s\n", outcome(write_for(child.pid, "cgroup")));
	end_child(&child);
	child = start_child(write_as_root);
	end_child(&child);
	child = start_child(execute);
	write_for(child.pid, "cgroup");
	end_child(&child);
	child = start_child(load_dead);
	write_for(child.pid, "dead");
	end_child(&child);
	// of the agent itself
	write_for(0, "cgroup");
	child = start_child(load_as_child);
	end_child(&child);
	load_named("its parent", "cgroup");
}

// Ends a task that has a ticket, and starts one with the same id.
static void run_reuse(void)
{
	struct child child = start_child(end);
	pid_t id = child.pid;
	struct clone_args how = {.exit_signal = SIGCHLD, .set_tid = (uint64_t)&id, .set_tid_size = 1};

	write_for(id, "cgroup");
	end_child(&child);
	fflush(stdout);
	long again = syscall(SYS_clone3, &how, sizeof(how));
	if (again == 0) {
		load_reused();
		_exit(0);
	}
	waitpid(again, NULL, 0);
	printf("reused id: %s\n", again == id ? "the same" : strerrorname_np(errno));
	printf("ticket for a task that is gone: %s\n", outcome(write_for(id, "cgroup")));
}

static void *load_in_thread(void *name)
{
	load_named(name, "cgroup");
	return NULL;
}

static pid_t waiting_thread;
static int may_load[2];

static void *load_when_told(void *name)
{
	char byte;

	waiting_thread = gettid();
	if (write(may_load[1], "", 1) == 1 && read(may_load[1], &byte, 1) == 1)
		load_named(name, "cgroup");
	return NULL;
}

static void run_threads(void)
{
	pthread_t thread;
	char byte;

	write_for(0, "cgroup");
	pthread_create(&thread, NULL, load_in_thread, "another thread of the process");
	pthread_join(thread, NULL);
	load_named("the thread that has the ticket", "cgroup");
	socketpair(AF_UNIX, SOCK_STREAM, 0, may_load);
	pthread_create(&thread, NULL, load_when_told, "thread for which another one wrote the ticket");
	if (read(may_load[0], &byte, 1) == 1 && write_for(waiting_thread, "cgroup") == 0 && write(may_load[0], "", 1) == 1)
		pthread_join(thread, NULL);
}

static void run_deadlines(void)
{
	struct guard_ticket ticket = ticket_for("cgroup");

	ticket.deadline = boot_time() + 50000000;
	if (write_ticket(&ticket))
		printf("no ticket for 50 ms\n");
	while (boot_time() <= ticket.deadline)
		sched_yield();
	load_named("after the deadline", "cgroup");
	load_named("after the deadline, again", "cgroup");
	ticket.deadline = boot_time() - 1;
	printf("past deadline: %s\n", outcome(write_ticket(&ticket)));
	ticket.deadline = boot_time() + 2 * GUARD_TICKET_LIFETIME;
	printf("distant deadline: %s\n", outcome(write_ticket(&ticket)));
}

static void run_malformed(void)
{
	struct guard_ticket ticket = ticket_for("cgroup");

	ticket.flags = 2;
	printf("unknown flag: %s\n", outcome(write_ticket(&ticket)));
	ticket.flags = 0;
	ticket.reserved = 1;
	printf("reserved field: %s\n", outcome(write_ticket(&ticket)));
	ticket.reserved = 0;
	syscall(SYS_bpf, GUARD_COMMAND_TICKET, &ticket, sizeof(ticket) - 8);
	printf("shorter ticket: %s\n", strerrorname_np(errno));
	syscall(SYS_bpf, GUARD_COMMAND_TICKET, &ticket, sizeof(ticket) + 8);
	printf("longer ticket: %s\n", strerrorname_np(errno));
}

static void run_use(void)
{
	struct load other = {.program = *program_named("sysctl")};
	struct guard_ticket ticket = ticket_for("cgroup");

	load_named("without a ticket", "cgroup");
	write_ticket(&ticket);
	load_named("first load", "cgroup");
	load_named("second load", "cgroup");
	printf("withdrawal of a used ticket: %s\n", outcome(withdraw_ticket(0)));
	write_ticket(&ticket);
	load_and_report("other program", &other);
	load_named("the program, after it", "cgroup");
	write_ticket(&ticket);
	printf("withdrawal: %s\n", outcome(withdraw_ticket(0)));
	load_named("after the withdrawal", "cgroup");
	write_for(0, "sysctl");
	write_ticket(&ticket);
	load_and_report("replaced ticket", &other);
	load_named("ticket that replaced it", "cgroup");
	// listed: a ticket may be for other maps than the list has
	load_changed("listed program with other maps", "small", NULL);
	load_named("listed program, without a ticket", "small");
	load_named("listed program, as listed", "large");
}

// As many tickets as there may be, each for another task.
static void run_overflow(void)
{
	struct child children[GUARD_TICKETS + 1];
	int written = 0, last = 0;

	for (int i = 0; i <= GUARD_TICKETS; i++)
		children[i] = start_child(end);
	for (int i = 0; i < GUARD_TICKETS; i++)
		written += write_for(children[i].pid, "cgroup") == 0;
	last = write_for(children[GUARD_TICKETS].pid, "cgroup");
	printf("tickets: %s, one more: %s\n", written == GUARD_TICKETS ? "all" : "too few", outcome(last));
	withdraw_ticket(children[0].pid);
	last = write_for(children[GUARD_TICKETS].pid, "cgroup");
	printf("one more after a withdrawal: %s\n", outcome(last));
	for (int i = 0; i <= GUARD_TICKETS; i++)
		withdraw_ticket(children[i].pid);
	for (int i = 0; i <= GUARD_TICKETS; i++)
		end_child(&children[i]);
	last = write_for(0, "cgroup");
	printf("one more after all ended: %s\n", outcome(last));
	withdraw_ticket(0);
}

static void run_lock(void)
{
	union bpf_attr attr = {0};

	write_for(0, "cgroup");
	bpf(GUARD_COMMAND_LOCK, &attr);
	load_named("ticket from before the lock", "cgroup");
	printf("ticket after the lock: %s\n", outcome(write_for(0, "cgroup")));
}

static void run_agent(uint32_t races)
{
	struct guard_status status = read_status();

	printf("agent: %s\n", status.agent == (uint64_t)getpid() && status.agent_start > 0 ? "this process" : "another");
	run_use();
	run_changes();
	run_targets();
	run_overflow();
	run_tasks();
	run_reuse();
	run_threads();
	run_deadlines();
	run_malformed();
	race_for_tickets(races);
	race_with_withdrawal(races / 10);
	run_lock();
}

static int seal(void)
{
	char agent[16];
	int status;

	snprintf(agent, sizeof(agent), "%d", getpid());
	pid_t child = fork();
	if (child == 0)
		execl("/bin/loader", "loader", "--log", "--agent", agent, "/lib/guard.image", NULL);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// Of programs that a list has, and of others, which have tickets.
static void run_all_faults(void)
{
	static const struct {
		const char *name;
		bool threaded, by_ticket;
	} LOADS[] = {{"cgroup", false, false}, {"maps", true, false},	{"outer", false, false}, {"lsm", false, false},
		     {"sysctl", false, true},  {"named", true, true}, {"references", false, true}, {"fmod_ret", false, true}};

	for (uint32_t i = 0; i < sizeof(LOADS) / sizeof(*LOADS); i++) {
		struct load load = {.program = *program_named(LOADS[i].name), .threaded = LOADS[i].threaded};

		run_faults(&load, LOADS[i].name, LOADS[i].by_ticket ? LOADS[i].name : NULL);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "agent") == 0 && argc > 2) {
		int failed = seal();

		if (!failed)
			run_agent(atoi(argv[2]));
		return failed;
	}
	// only these, for many rounds
	if (strcmp(what, "race") == 0 && argc > 2) {
		int failed = seal();

		if (!failed) {
			race_for_tickets(atoi(argv[2]));
			race_with_withdrawal(atoi(argv[2]) / 10);
		}
		return failed;
	}
	if (strcmp(what, "faults") == 0) {
		int failed = seal();

		if (!failed) {
			run_all_faults();
			run_refusals();
		}
		return failed;
	}
	if (strcmp(what, "describe") == 0)
		describe_programs();
	else if (strcmp(what, "executables") == 0)
		run_refused_executables();
	else if (strcmp(what, "calls") == 0)
		print_calls();
	else if (strcmp(what, "ids") == 0)
		for (int i = 2; i < argc; i++)
			printf("id %s %u\n", argv[i], btf_id(argv[i]));
	else if (strcmp(what, "load") == 0)
		load_named("task that executed a program", "cgroup");
	else
		return 2;
	return 0;
}
