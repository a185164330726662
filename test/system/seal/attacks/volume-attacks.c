/* Many loads at once, and the largest program. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

#define THREADS 128
#define LOADS 5

static pthread_barrier_t all_started;

/* Returns how many loads succeeded. The thread lives until all have ended: the guard keeps memory for each task. */
static void *load_often(void *unused)
{
	long loaded = 0;
	(void)unused;
	pthread_barrier_wait(&all_started);
	for (int round = 0; round < LOADS; round++) {
		int program = load_unlisted();
		loaded += program >= 0;
		if (program >= 0)
			close(program);
	}
	pthread_barrier_wait(&all_started);
	return (void *)loaded;
}

static void parallel_loads(void)
{
	pthread_t threads[THREADS];
	long loaded = 0;
	pthread_barrier_init(&all_started, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, load_often, NULL))
			skipped("too many threads");
	for (int i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		loaded += (long)result;
	}
	if (loaded > 0)
		broken("%ld of %d loads", loaded, THREADS * LOADS);
	errno = EPERM;
	held("640 loads of 128 threads");
}

/* BPF_COMPLEXITY_LIMIT_INSNS. */
#define LARGEST 1000000

/* Returns 0 if it was loaded, else the errno. ENOMEM also if the kernel ended the process for want of memory. */
static int errno_of_load(size_t count)
{
	struct load how = {.type = BPF_PROG_TYPE_SOCKET_FILTER};
	int status;
	pid_t child = fork();
	if (child == 0) {
		alarm(200); /* the verifier takes longer than other attacks may */
		struct bpf_insn *code = malloc(count * sizeof *code);
		for (size_t i = 0; i < count - 1; i++)
			code[i] = MOV(0, UNLISTED_RESULT);
		code[count - 1] = EXIT;
		_exit(load(&how, code, count) < 0 ? errno : 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGKILL ? ENOMEM : EINTR;
	return WEXITSTATUS(status);
}

/*
 * The verifier of Linux 7.3 needs above 1 GiB for the largest program (compute_subprog_args),
 * more than a small guest has: there, half of it or a quarter has to do. The guard denies a load before the verifier.
 */
static void largest_program(void)
{
	alarm(650);
	for (size_t count = LARGEST; count >= LARGEST / 4; count /= 2) {
		errno = errno_of_load(count);
		if (errno == 0)
			broken("loaded a program of %zu instructions", count);
		if (errno != ENOMEM)
			break;
	}
	held("load of 1000000 instructions");
}

const struct attack volume_attacks[] = {
    {"parallel-loads", parallel_loads},
    {"largest-program", largest_program},
    {0},
};
