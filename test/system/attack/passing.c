// passing: takes fds from a task outside of the gate, by a socket and in all other ways, and gives it some. Prints what
// came of it. passing serve: is that task, at SOCKET: prints the id of its program, sends that program to each who
// connects and its own pid, and then takes a program and a map. It prints what came of that.
#include "outside.h"
#include <sys/prctl.h>

#define TARGET 100

static void serve(void)
{
	int listener = socket_at(getenv("SOCKET"), 1), bad = load(BAD, 2);
	struct bpf_prog_info info;

	// a client may leave before it is written to; the next one must still be served
	signal(SIGPIPE, SIG_IGN);
	dup2(bad, TARGET);
	prog_info(bad, &info);
	printf("%u\n", info.id);
	for (;;) {
		int connection = accept(listener, NULL, NULL), prog, map;
		pid_t pid = getpid(), theirs;
		uint64_t two = 2;
		char path[64];

		pass_fd(connection, bad);
		if (write(connection, &pid, sizeof(pid)) != sizeof(pid) || read(connection, &theirs, sizeof(theirs)) != sizeof(theirs)) {
			close(connection);
			continue;
		}
		prog = pass_fd(connection, -1);
		map = pass_fd(connection, -1);
		say_run("run what was taken", prog);
		SAY("write to the map that was taken", set_element(map, 0, &two));
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", theirs, TARGET);
		SAY("open it in /proc", open(path, O_RDWR));
		SAY("get it by a pidfd", syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, theirs, 0), TARGET, 0));
		close(connection);
	}
}

int main(int argc, char **argv)
{
	int connection, passed, pidfd, prog, map, filtered = socket(AF_INET, SOCK_DGRAM, 0);
	char path[64], target[64], byte;
	union bpf_attr attr = {};
	pid_t pid, own = getpid();
	uint64_t one = 1, value = 0;
	uint32_t key = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1)
		return serve(), 0;
	connection = socket_at(getenv("SOCKET"), 0);
	passed = pass_fd(connection, -1);
	SAY("by a socket", passed);
	if (read(connection, &pid, sizeof(pid)) != sizeof(pid))
		return 3;
	say_run("run it", passed);
	SAY("attach it to a socket", setsockopt(filtered, SOL_SOCKET, SO_ATTACH_BPF, &passed, sizeof(passed)));
	attr.attach_type = BPF_CGROUP_INET_EGRESS;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	SAY("by a pidfd", syscall(SYS_pidfd_getfd, pidfd, TARGET, 0));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, TARGET);
	SAY("by /proc", open(path, O_RDWR));
	SAY("its name in /proc", readlink(path, target, sizeof(target)));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", passed);
	SAY("its own again", open(path, O_RDWR));
	prog = load(GOOD, 2);
	map = array(8);
	set_element(map, 0, &one);
	dup2(prog, TARGET);
	prctl(PR_SET_DUMPABLE, 1);
	if (write(connection, &own, sizeof(own)) != sizeof(own))
		return 3;
	pass_fd(connection, prog);
	pass_fd(connection, map);
	if (read(connection, &byte, 1) != 0)
		return 3;
	attr = (union bpf_attr){.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&value};
	bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
	printf("its own map: %llu\n", (unsigned long long)value);
	return 0;
}
