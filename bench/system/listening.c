// listening COMMAND…: installs a filter that notifies of bpf(2), writes the number of its listener as a line to fd 3,
// waits until fd 3 is readable, and executes the command. Another process takes the listener by pidfd_getfd(2).
#define _GNU_SOURCE
#include <fcntl.h>
#include "../../test/system/attack/runtime.h"

int main(int argc, char **argv)
{
	char byte;
	int listener = listen_to_bpf(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	if (argc < 2 || listener < 0)
		return 125;
	fcntl(3, F_SETFD, FD_CLOEXEC);
	dprintf(3, "%d\n", listener);
	if (read(3, &byte, 1) < 0)
		return 125;
	close(listener);
	execvp(argv[1], argv + 1);
	return 127;
}
