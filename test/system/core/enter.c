// enter KERNEL COMMAND…: runs a command that sees the files of another kernel.
#include "fake-kernel.h"
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: enter KERNEL COMMAND...\n");
		return 2;
	}
	fake_kernel_enter(argv[1]);
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}
