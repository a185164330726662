// naive COMMAND…: a gate as it must not be. It looks at the instructions in the task's memory and then tells the kernel
// to go on, so that the kernel reads them again. It is here to show that the race of race.c is real.
#include "gate.h"

// Microseconds between the look and the answer: the time that a policy takes. The thread that changes the program runs
// meanwhile, also where it shares a processor with the one that loads.
#define DECISION 100

// What the policy of the tests refuses, as far as a race of its own kind is concerned.
static int refuses(const union bpf_attr *attr, pid_t pid)
{
	struct bpf_insn insns[2];

	if (attr->prog_type == BPF_PROG_TYPE_XDP || !copy(pid, attr->insns, insns, sizeof(insns)))
		return 1;
	return memcmp(insns, BAD, sizeof(BAD)) == 0;
}

int main(int argc, char **argv)
{
	pid_t child;
	int listener = listener_of(argv + 1, &child, 0);

	for (;;) {
		struct seccomp_notif request = {};
		struct seccomp_notif_resp response = {};
		union bpf_attr attr = {};

		if (waitpid(child, NULL, WNOHANG) == child)
			return 0;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
			continue;
		response.id = request.id;
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (request.data.args[0] == BPF_PROG_LOAD &&
		    (!copy(request.pid, request.data.args[1], &attr, sizeof(attr)) || refuses(&attr, request.pid))) {
			response.flags = 0;
			response.error = -EPERM;
		} else if (request.data.args[0] == BPF_PROG_LOAD) {
			usleep(DECISION);
		}
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}
