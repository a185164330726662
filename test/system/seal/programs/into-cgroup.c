/*
 * Runs a command as a process that the kernel creates in a cgroup:
 *
 *   into-cgroup CGROUP COMMAND…
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	int cgroup = open(argv[1], O_PATH | O_DIRECTORY);
	struct clone_args how = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};
	long child = cgroup < 0 ? -1 : syscall(SYS_clone3, &how, sizeof(how));

	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (child < 0) {
		printf("into-cgroup: %s\n", strerror(errno));
		return 1;
	}
	waitpid((pid_t)child, NULL, 0);
	return 0;
}
