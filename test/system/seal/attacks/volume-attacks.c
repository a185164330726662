/* Many loads at once, and the largest program. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
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

static void largest_program(void)
{
	struct load how = {.type = BPF_PROG_TYPE_SOCKET_FILTER};
	alarm(200); /* the verifier takes longer than other attacks may */
	struct bpf_insn *code = malloc(LARGEST * sizeof *code);
	for (int i = 0; i < LARGEST - 1; i++)
		code[i] = MOV(0, UNLISTED_RESULT);
	code[LARGEST - 1] = EXIT;
	int program = load(&how, code, LARGEST);
	if (program < 0)
		held("load of 1000000 instructions");
	broken("loaded a program of 1000000 instructions");
}

const struct attack volume_attacks[] = {
    {"parallel-loads", parallel_loads},
    {"largest-program", largest_program},
    {0},
};
