// ticks MICROSECONDS: waits so long, then executes itself every 4 milliseconds in a child, for tools that report
// execve(2). A child, which has no argument, ends at once.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *words[] = {"ticks", 0}, *environment[] = {0};

	if (argc < 2)
		return 0;
	usleep(atoi(argv[1]));
	for (;;) {
		pid_t child = vfork();

		if (child == 0) {
			execve("/proc/self/exe", words, environment);
			_exit(1);
		}
		waitpid(child, 0, 0);
		usleep(4000);
	}
}
