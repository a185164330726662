/* Starts processes with descriptors of their own, prints a line, and waits until its standard input is closed:
 * holders PROCESSES FILES SOCKETS, where each process has so many of both, and three pipes besides. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int count, char **words)
{
	int processes = atoi(words[1]), files = atoi(words[2]), sockets = atoi(words[3]), ready[2];
	char byte = 0;

	if (count != 4 || pipe(ready) != 0)
		return 1;
	for (int number = 0; number < processes; number++) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int at = 0; at < files; at++)
			open("/dev/null", O_RDONLY);
		for (int at = 0; at < sockets; at++)
			socket(AF_UNIX, SOCK_STREAM, 0);
		if (write(ready[1], &byte, 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	for (int number = 0; number < processes; number++)
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	printf("ready\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	kill(0, SIGTERM);
	return 0;
}
