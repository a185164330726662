// handed SOCKET COMMAND…: hands its bpf(2) to an agent, as an OCI runtime does for a container, and executes the
// command.
#define _GNU_SOURCE
#include "../../test/system/attack/runtime.h"

int main(int argc, char **argv)
{
	char id[32];

	if (argc < 3)
		return 2;
	snprintf(id, sizeof(id), "bench-%d", getpid());
	hand_over(argv[1], listen_to_bpf(0), id, "{}");
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 1;
}
