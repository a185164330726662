// ticks: executes itself every 4 milliseconds in a child, for tools that report execve(2). A child ends at once.
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char *words[] = {"ticks", "end", 0}, *environment[] = {0};

	if (argc > 1)
		return 0;
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
