// flood THREADS FIRST: loads ever new programs, `r0 = N; exit`, until bpf(2) fails in a way that no policy of the tests
// does. Says that it has begun once it got FIRST of them. Prints the N of each program that it got, then what a later
// bpf(2) says.
#include "bpf.h"

#define MOST 200000

static int got[MOST];
static int count;
static int first_of_all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void begun(void)
{
	printf("begun\n");
	fflush(stdout);
}

static void *loads(void *first)
{
	for (int value = (intptr_t)first;; value++) {
		struct bpf_insn insns[2] = {MOV0(value), EXIT};
		int fd = load(insns, 2);

		if (fd < 0 && errno == EPERM)
			continue;
		if (fd < 0)
			return NULL;
		close(fd);
		pthread_mutex_lock(&lock);
		if (count < MOST)
			got[count++] = value;
		if (count == first_of_all)
			begun();
		pthread_mutex_unlock(&lock);
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[16];
	int n = atoi(argv[1]);

	first_of_all = atoi(argv[2]);
	if (first_of_all == 0)
		begun();
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, loads, (void *)(intptr_t)((i + 1) << 20));
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < count; i++)
		printf("%d\n", got[i]);
	printf("later: %s\n", load(GOOD, 2) >= 0 ? "done" : errno == ENOSYS ? "ENOSYS" : "another errno");
	return 0;
}
