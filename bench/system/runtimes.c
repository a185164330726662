// runtimes SOCKET COUNT CALLS GAP: hands COUNT listeners of its own children to an agent, as an OCI runtime does, and
// has the children make CALLS bpf(2) in turn, GAP microseconds apart. Prints `ready`, waits for a line on stdin, then
// prints the median time of a call in nanoseconds, waits for another line and ends.
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include "../../test/system/attack/runtime.h"

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static int order(const void *a, const void *b)
{
	return *(uint64_t *)a < *(uint64_t *)b ? -1 : *(uint64_t *)a > *(uint64_t *)b;
}

static void stand_in(const char *path, int index)
{
	char id[32], annotations[64];
	int listener = listen_to_bpf(0);

	snprintf(id, sizeof(id), "bench-%d", index);
	snprintf(annotations, sizeof(annotations), "{\"label.countersign/tier\":\"t%d\"}", index % 10);
	hand_over(path, listener, id, annotations);
}

int main(int argc, char **argv)
{
	int count = atoi(argv[2]), calls = atoi(argv[3]), gap = atoi(argv[4]);
	int(*turn)[2] = calloc(count, sizeof(*turn)), back[2];
	uint64_t *times = calloc(calls, sizeof(*times));
	char byte = 0, line[16];

	pipe(back);
	for (int i = 0; i < count; i++) {
		pipe(turn[i]);
		if (fork() == 0) {
			stand_in(argv[1], i);
			close(turn[i][1]);
			write(back[1], &byte, 1);
			while (read(turn[i][0], &byte, 1) == 1) {
				union bpf_attr attr = {.map_fd = -1};
				uint64_t start = now();

				syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
				start = now() - start;
				write(back[1], &start, sizeof(start));
			}
			_exit(0);
		}
		close(turn[i][0]);
		read(back[0], &byte, 1);
	}
	printf("ready\n");
	fflush(stdout);
	fgets(line, sizeof(line), stdin);
	for (int i = 0; i < calls; i++) {
		write(turn[i * 7 % count][1], &byte, 1);
		read(back[0], &times[i], sizeof(*times));
		usleep(gap);
	}
	qsort(times, calls, sizeof(*times), order);
	printf("%llu\n", (unsigned long long)times[calls / 2]);
	fflush(stdout);
	fgets(line, sizeof(line), stdin);
	return 0;
}
