// listening SOCKET|- COMMAND…: installs a filter that notifies of bpf(2), writes its process id and the number of its
// listener as a line to a socket or, for -, to fd 3, waits until that is readable, and executes the command. Another
// process takes the listener by pidfd_getfd(2).
#define _GNU_SOURCE
#include <fcntl.h>
#include "../../test/system/attack/runtime.h"

static int connected(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	return connect(connection, (struct sockaddr *)&address, sizeof(address)) ? -1 : connection;
}

int main(int argc, char **argv)
{
	char byte;
	int listener = listen_to_bpf(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), to = 3;

	if (argc < 3 || listener < 0)
		return 125;
	if (strcmp(argv[1], "-"))
		to = connected(argv[1]);
	fcntl(to, F_SETFD, FD_CLOEXEC);
	dprintf(to, "%d %d\n", getpid(), listener);
	if (read(to, &byte, 1) < 0)
		return 125;
	close(to);
	close(listener);
	execvp(argv[2], argv + 2);
	return 127;
}
