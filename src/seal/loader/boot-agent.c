#define _GNU_SOURCE
#include "boot-agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent-root.h"

/* The agent says that it is ready by sd_notify(3), at an abstract socket that is closed before /init runs. */
#define NOTIFY_NAME "countersign-agent"
#define READY "READY=1"

/* As systemd is told by it not to end the process: https://systemd.io/ROOT_STORAGE_DAEMONS/ */
#define AGENT_NAME "@countersign-agent"

/* An emulated machine on a busy host takes some minutes. */
#define SECONDS 600

#define MAX_WORDS 64
#define MAX_FDS 65536

/* Reads the words of AGENT_COMMAND. Returns their number, or -1. */
static int read_command(char **words, struct failure *failure)
{
	static char text[8192];
	int fd = open(AGENT_COMMAND, O_RDONLY | O_CLOEXEC), count = 0;
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text));
	close(fd);
	if (size <= 0 || size == sizeof(text) || text[size - 1] != 0)
		return fail(failure, STEP_AGENT, AGENT_COMMAND, "cannot be read");
	for (char *at = text; at < text + size && count < MAX_WORDS; at += strlen(at) + 1)
		words[count++] = at;
	words[count] = NULL;
	return count;
}

static int open_notify_socket(struct failure *failure)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0" NOTIFY_NAME};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + sizeof(NOTIFY_NAME);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&name, size) == 0)
		return fd;
	return fail(failure, STEP_AGENT, "socket", "cannot be bound");
}

static void set_limits(void)
{
	struct rlimit fds = {.rlim_cur = MAX_FDS, .rlim_max = MAX_FDS};
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_NOFILE, &fds);
	/* at worst the kernel ends the agent first when memory is short, and what needs a ticket is denied */
	int score = open(AGENT_ROOT "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (write(score, "-1000", 5) != 5)
		errno = 0;
	close(score);
	int nothing = open(AGENT_ROOT "/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(nothing, STDIN_FILENO);
	setsid();
}

/*
 * Changes the root to a copy of the mounts on AGENT_ROOT, which is in no mount namespace that has a path. The copy is
 * there as long as its fd is open, so the agent inherits it (dissolve_on_fput of fs/namespace.c).
 */
static int enter_root(void)
{
	int tree = syscall(SYS_open_tree, AT_FDCWD, AGENT_ROOT, 1 /* OPEN_TREE_CLONE */ | 0x8000 /* AT_RECURSIVE */);
	return tree >= 0 && fchdir(tree) == 0 && chroot(".") == 0;
}

/*
 * The agent's process. The root that it was made in is in a mount namespace of its own, and then in none: the parent
 * removes the folder that it is mounted on, which detaches the mount (detach_mounts of fs/namespace.c).
 */
static void run_agent(char **words, int mounted, int detached)
{
	static char *const ENVIRONMENT[] = {"NOTIFY_SOCKET=@" NOTIFY_NAME, "HOME=/", NULL};
	char *argv[MAX_WORDS + 1] = {AGENT_NAME};
	struct failure failure;
	char answer;
	for (int i = 1; words[i] != NULL; i++)
		argv[i] = words[i];
	int made = unshare(CLONE_NEWNS) == 0 ? make_agent_root(AGENT_FILES, &failure)
	                                     : fail(&failure, STEP_AGENT, "mount namespace", "cannot be made");
	if (made == 0) {
		set_limits();
		int entered = enter_root() && write(mounted, "", 1) == 1 && read(detached, &answer, 1) == 1;
		/* without /proc the agent would wait for ever */
		if (entered && access("/proc/self", F_OK) != 0) {
			fail(&failure, STEP_AGENT, "/proc", "is lost when the root of the agent is detached, on this kernel");
		} else {
			if (entered)
				execve(words[0], argv, ENVIRONMENT);
			fail(&failure, STEP_AGENT, words[0], "cannot be run");
		}
	}
	printf("countersign: agent: %s: %s: %s\n", failure.place, errno_name(failure.error), failure.detail);
	fflush(stdout);
	_exit(1);
}

/* Waits until the agent's root is mounted, and then has nobody else reach it. */
static int detach_root(int mounted, int detached, struct failure *failure)
{
	char answer;
	if (read(mounted, &answer, 1) != 1)
		return fail(failure, STEP_AGENT, AGENT_ROOT, "cannot be made");
	if (rmdir(AGENT_ROOT) != 0)
		return fail(failure, STEP_AGENT, AGENT_ROOT, "cannot be detached");
	return write(detached, "", 1) == 1 ? 0 : fail(failure, STEP_AGENT, "agent", "ended before it ran");
}

static time_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static int wait_until_ready(pid_t pid, int socket, struct failure *failure)
{
	time_t end = now() + SECONDS;
	char text[256];
	while (now() < end) {
		struct pollfd one = {.fd = socket, .events = POLLIN};
		if (poll(&one, 1, 200) > 0) {
			ssize_t size = recv(socket, text, sizeof(text) - 1, 0);
			if (size >= (ssize_t)strlen(READY) && strncmp(text, READY, strlen(READY)) == 0)
				return 0;
		}
		errno = 0;
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return fail(failure, STEP_AGENT, "agent", "ended before it was ready");
	}
	errno = 0;
	return fail(failure, STEP_AGENT, "agent", "is not ready after 600 seconds");
}

void end_agent(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int start_agent(pid_t *pid, struct failure *failure)
{
	char *words[MAX_WORDS + 1];
	int mounted[2], detached[2];
	*pid = 0;
	if (access(AGENT_COMMAND, F_OK) != 0)
		return 0;
	errno = 0;
	if (read_command(words, failure) < 0)
		return -1;
	int socket = open_notify_socket(failure);
	if (socket < 0)
		return -1;
	if (pipe2(mounted, O_CLOEXEC) != 0 || pipe2(detached, O_CLOEXEC) != 0 || (*pid = fork()) < 0)
		return fail(failure, STEP_AGENT, "agent", "cannot be started");
	if (*pid == 0) {
		close(mounted[0]);
		close(detached[1]);
		run_agent(words, mounted[1], detached[0]);
	}
	close(mounted[1]);
	close(detached[0]);
	int result = detach_root(mounted[0], detached[1], failure);
	if (result == 0)
		result = wait_until_ready(*pid, socket, failure);
	close(mounted[0]);
	close(detached[1]);
	close(socket);
	if (result != 0) {
		end_agent(*pid);
		*pid = 0;
	}
	return result;
}
