// uring: tries by io_uring what bpf(2) would be asked for: every operation that the kernel has, on a program, a map and
// a socket, with the attr of a program that is denied. Prints `OPERATION KIND: what came of it` of those that did not
// fail, and at first `operations N`.
// uring poll: the same by a ring whose operations a thread of the kernel carries out.
// uring spawn COMMAND…: has a ring with such a thread, hands it to a command by RING, SOCKET_FD and PROGRAM, and waits
// for that.
// uring inherited: uses that ring, whose thread is one of a task outside of the gate.
#include "outside.h"
#include <linux/io_uring.h>
#include <sys/uio.h>

// linux/io_uring.h of Linux 6.7 and later
#define URING_CMD 46
#define SOCKET_SETSOCKOPT 3
#define PATIENCE 30000

struct ring {
	int fd;
	struct io_uring_params params;
	char *rings;
	struct io_uring_sqe *sqes;
};

static void map_ring(struct ring *ring, size_t size)
{
	ring->rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (ring->rings == MAP_FAILED || ring->sqes == MAP_FAILED)
		perror("mapping the ring"), exit(3);
}

static struct ring open_ring(unsigned flags)
{
	struct ring ring = {.params = {.flags = flags, .sq_thread_idle = 5000}};

	ring.fd = syscall(SYS_io_uring_setup, 8, &ring.params);
	if (ring.fd < 0)
		printf("ring: %s\n", strerrorname_np(errno)), exit(4);
	map_ring(&ring, 4096);
	return ring;
}

#define WORD(ring, at) ((uint32_t *)((ring)->rings + (at)))

// Carries out one operation. Gives its result, or -ETIME where there is none within so many milliseconds.
static int submit(struct ring *ring, struct io_uring_sqe sqe, int patience)
{
	uint32_t tail = *WORD(ring, ring->params.sq_off.tail), mask = *WORD(ring, ring->params.sq_off.ring_mask);
	uint32_t head = *WORD(ring, ring->params.cq_off.head);
	struct io_uring_cqe *cqes = (void *)(ring->rings + ring->params.cq_off.cqes);

	ring->sqes[tail & mask] = sqe;
	WORD(ring, ring->params.sq_off.array)[tail & mask] = tail & mask;
	__atomic_store_n(WORD(ring, ring->params.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring->fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
	for (int tries = 0; tries < patience; tries++, usleep(1000))
		if (__atomic_load_n(WORD(ring, ring->params.cq_off.tail), __ATOMIC_ACQUIRE) != head) {
			int result = cqes[head & *WORD(ring, ring->params.cq_off.ring_mask)].res;

			__atomic_store_n(WORD(ring, ring->params.cq_off.head), head + 1, __ATOMIC_RELEASE);
			return result;
		}
	return -ETIME;
}

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

static int operations(struct ring *ring)
{
	static char room[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
	struct io_uring_probe *probe = (void *)room;

	if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_PROBE, probe, 256))
		return -1;
	return probe->last_op + 1;
}

// Every operation in a process and a ring of its own, which may end with it.
static void try_all(unsigned flags)
{
	struct ring first = open_ring(flags);
	int count = operations(&first), sock = socket(AF_INET, SOCK_DGRAM, 0);
	const struct {
		const char *name;
		int fd;
	} kinds[] = {{"program", load(GOOD, 2)}, {"map", array(8)}, {"socket", sock}};

	printf("operations %d\n", count);
	for (int op = 0; op < count; op++)
		for (int kind = 0; kind < 3; kind++) {
			// an operation refuses what it has no use for: all of it, only an address, and nothing but the fd
			int done[3] = {};

			static union bpf_attr attr;
			int status;

			for (int given = 0; given < 3; given++) {
				pid_t child = fork();

				if (child == 0) {
					struct ring ring = open_ring(flags);
					struct io_uring_sqe sqe = {.opcode = op, .fd = kinds[kind].fd};

					fill(&attr, BAD, 2);
					if (given < 2)
						sqe.addr = (uintptr_t)&attr, sqe.len = sizeof(attr);
					if (given < 1)
						((uint32_t *)&sqe)[2] = BPF_PROG_LOAD; // cmd_op, or the low half of an offset
					alarm(2);
					_exit(submit(&ring, sqe, 200) >= 0 ? 10 : 0);
				}
				waitpid(child, &status, 0);
				done[given] = WIFEXITED(status) && WEXITSTATUS(status) == 10;
			}
			if (done[0] || done[1] || done[2])
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
