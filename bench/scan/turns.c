/* Runs commands of sh by turns without their output, and prints of each run: its number, nanoseconds of the clock,
 * nanoseconds of processors, the most memory in KiB, its status: turns ROUNDS COMMAND... */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long nanoseconds(struct timeval time)
{
	return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

int main(int count, char **words)
{
	for (int round = 0; round < atoi(words[1]); round++)
		for (int at = 2; at < count; at++) {
			long long start = now(), end;
			struct rusage used;
			int status;
			pid_t pid = fork();

			if (pid == 0) {
				dup2(open("/dev/null", O_WRONLY), 1);
				execl("/bin/sh", "sh", "-c", words[at], (char *)NULL);
				_exit(127);
			}
			wait4(pid, &status, 0, &used);
			end = now();
			printf("RUN %d %lld %lld %ld %d\n", at - 2, end - start,
			       nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime), used.ru_maxrss, WEXITSTATUS(status));
			fflush(stdout);
		}
	return 0;
}
