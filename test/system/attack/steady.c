// steady: loads `r0 = 2; exit` over and over. Every tenth of a second it prints how often that was done, how often it
// failed with ENOSYS, and with anything else.
#include "bpf.h"
#include <time.h>

int main(void)
{
	unsigned long counts[3] = {0};
	time_t said = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		struct timespec now;
		int fd = load(GOOD, 2);

		counts[fd >= 0 ? 0 : errno == ENOSYS ? 1 : 2]++;
		if (fd >= 0)
			close(fd);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec * 10 + now.tv_nsec / 100000000 == said)
			continue;
		said = now.tv_sec * 10 + now.tv_nsec / 100000000;
		printf("%lu %lu %lu\n", counts[0], counts[1], counts[2]);
	}
}
