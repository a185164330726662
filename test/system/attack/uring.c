// uring: tries by io_uring what bpf(2) would be asked for: every operation that the kernel has, on a program, a map and
// a socket, with the attr of a program that is denied. Prints `OPERATION KIND: what came of it` of those that did not
// fail, and at first `operations N`.
// uring poll: the same by a ring whose operations a thread of the kernel carries out.
// uring spawn COMMAND…: has a ring with such a thread, hands it to a command by RING, SOCKET_FD and PROGRAM, and waits
// for that.
// uring inherited: uses that ring, whose thread is one of a task outside of the gate.
#include "outside.h"
#include "uring.h"
#include <sys/uio.h>

// linux/io_uring.h of Linux 6.7 and later
#define URING_CMD 46
#define SOCKET_SETSOCKOPT 3
#define PATIENCE 30000

static void say_result(const char *what, int result)
{
	errno = -result;
	SAY(what, result < 0 ? -1 : 0);
}

static int set_option(struct ring *ring, int fd, int option, const void *value, int length)
{
	struct io_uring_sqe sqe = {.opcode = URING_CMD, .fd = fd};
	uint32_t *words = (uint32_t *)&sqe;

	words[2] = SOCKET_SETSOCKOPT;          // cmd_op
	words[4] = SOL_SOCKET, words[5] = option; // level, optname
	words[11] = length;                    // optlen
	memcpy(&words[12], &value, sizeof(value)); // optval
	return submit(ring, sqe, PATIENCE);
}

// The values of options, at an address that is the same in each process: a thread of the kernel reads them where its
// own task has them.
static struct values {
	int prog;
	struct sock_filter all[1];
	struct sock_fprog classic;
} *values = (void *)0x10000000;

static void place_values(int prog)
{
	if (mmap(values, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != values)
		perror("mapping"), exit(3);
	values->prog = prog;
	values->all[0] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0xffff);
	values->classic = (struct sock_fprog){1, values->all};
}

static void attach(struct ring *ring, int fd)
{
	say_result("SO_ATTACH_BPF", set_option(ring, fd, SO_ATTACH_BPF, &values->prog, sizeof(values->prog)));
	say_result("SO_ATTACH_FILTER", set_option(ring, fd, SO_ATTACH_FILTER, &values->classic, sizeof(values->classic)));
}

// Every operation in a process and a ring of its own, which may end with it.
static void try_all(unsigned flags)
{
	struct ring first = open_ring(flags);
	int count = operations(first.fd), sock = socket(AF_INET, SOCK_DGRAM, 0);
	const struct {
		const char *name;
		int fd;
	} kinds[] = {{"program", load(GOOD, 2)}, {"map", array(8)}, {"socket", sock}};

	printf("operations %d\n", count);
	for (int op = 0; op < count; op++)
		for (int kind = 0; kind < 3; kind++) {
			int done = 0;

			for (enum given given = ALL; given < GIVEN; given++)
				done |= does_not_fail(flags, op, kinds[kind].fd, given, 200);
			if (done)
				printf("%d %s: done\n", op, kinds[kind].name);
		}
	place_values(kinds[0].fd);
	attach(&first, sock);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "spawn")) {
		struct ring ring = open_ring(IORING_SETUP_SQPOLL);
		int prog = load(BAD, 2), sock = socket(AF_INET, SOCK_DGRAM, 0), status;
		char number[16];

		place_values(prog);
		fcntl(sock, F_SETFD, 0);
		// above those that could be node's own, which a command does not inherit
		snprintf(number, sizeof(number), "%d", dup2(ring.fd, 100)), setenv("RING", number, 1);
		snprintf(number, sizeof(number), "%d", sock), setenv("SOCKET_FD", number, 1);
		snprintf(number, sizeof(number), "%d", prog), setenv("PROGRAM", number, 1);
		if (fork() == 0)
			execvp(argv[2], argv + 2), _exit(127);
		wait(&status);
		return WEXITSTATUS(status);
	}
	if (argc > 1 && !strcmp(argv[1], "inherited")) {
		// offsets are the same for each ring of one size
		struct ring own = open_ring(IORING_SETUP_SQPOLL), ring = own;
		struct io_uring_sqe sqe = {.opcode = URING_CMD, .fd = atoi(getenv("PROGRAM"))};

		ring.fd = atoi(getenv("RING"));
		map_ring(&ring, 4096);
		((uint32_t *)&sqe)[2] = BPF_PROG_LOAD;
		say_result("a command on a program of outside", submit(&ring, sqe, PATIENCE));
		attach(&ring, atoi(getenv("SOCKET_FD")));
		return 0;
	}
	return try_all(argc > 1 ? IORING_SETUP_SQPOLL : 0), 0;
}
