/* Attaches programs in a network namespace that only a socket keeps, by which nothing else leads to it; closes the
 * programs, prints them and the namespace, and waits until its standard input is closed. */
#include "programs.h"
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

static void made(const char *name, int program, int result)
{
	said(name, program, result);
	close(program);
}

int main(void)
{
	int program, link, kept, home = open("/proc/self/ns/net", O_RDONLY);
	struct stat network;

	if (unshare(CLONE_NEWNET) < 0 || stat("/proc/self/ns/net", &network) < 0)
		return EXIT_FAILURE;
	kept = socket(AF_INET, SOCK_DGRAM, 0);
	program = load("socket_xdp", BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS, -1);
	link = link_to(program, 1, BPF_XDP);
	made("socket_xdp", program, link);
	program = load("socket_tcx", BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_EGRESS, -1, -1);
	made("socket_tcx", program, attach(program, 1, BPF_TCX_EGRESS));
	program = load("socket_flow", BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, 0, -1);
	made("socket_flow", program, attach(program, 0, BPF_FLOW_DISSECTOR));
	printf("network %lu\n", (unsigned long)network.st_ino);
	if (kept < 0 || setns(home, CLONE_NEWNET) < 0)
		return EXIT_FAILURE;
	close(home);
	hold();
	return 0;
}
