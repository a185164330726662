// Rings of io_uring(7), by hand.
#pragma once
#include "bpf.h"
#include <linux/io_uring.h>

struct ring {
	int fd;
	struct io_uring_params params;
	char *rings;
	struct io_uring_sqe *sqes;
};

static inline void map_ring(struct ring *ring, size_t size)
{
	ring->rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (ring->rings == MAP_FAILED || ring->sqes == MAP_FAILED)
		perror("mapping the ring"), exit(3);
}

static inline struct ring open_ring(unsigned flags)
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
static inline int submit(struct ring *ring, struct io_uring_sqe sqe, int patience)
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

// How many operations the kernel has, or -1.
static inline int operations(int ring)
{
	static char room[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
	struct io_uring_probe *probe = memset(room, 0, sizeof(room)); // the kernel rejects what is not zero

	if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_PROBE, probe, 256))
		return -1;
	return probe->last_op + 1;
}

// What of an operation is given: all of it, only an address, and nothing but the fd. It refuses what it has no use for.
enum given { ALL, ADDRESS, FD, GIVEN };

// Whether an operation with the attr of a program that is denied does not fail. A process and a ring of its own make
// the try, which may end with it. `patience` in milliseconds.
static inline int does_not_fail(unsigned flags, int op, int fd, enum given given, int patience)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		static union bpf_attr attr;
		struct ring ring = open_ring(flags);
		struct io_uring_sqe sqe = {.opcode = op, .fd = fd};

		fill(&attr, BAD, 2);
		if (given < FD)
			sqe.addr = (uintptr_t)&attr, sqe.len = sizeof(attr);
		if (given < ADDRESS)
			((uint32_t *)&sqe)[2] = BPF_PROG_LOAD; // cmd_op, or the low half of an offset
		alarm(2);
		_exit(submit(&ring, sqe, patience) >= 0 ? 10 : 0);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 10;
}
