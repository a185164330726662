/*
 * change-parameters FILE GOOD BAD LOADS: loads and unloads a module until it was loaded so often, at most 20 times as
 * often as that, while another thread changes the parameters from GOOD to BAD and back. They may differ in the last
 * byte only. Prints how many calls ended how, and of those that loaded it how many network devices the module made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char parameters[64];
static char ends[2];
static volatile int has_ended;

static void *change(void *unused)
{
	(void)unused;
	volatile char *last = parameters + strlen(parameters) - 1;
	for (unsigned turn = 0; !has_ended; turn++)
		*last = ends[turn % 2];
	return NULL;
}

/* How many devices the module made: dummy0, dummy1, … */
static unsigned devices(void)
{
	char path[] = "/sys/class/net/dummy0";
	unsigned count = 0;
	while (count < 7 && access(path, F_OK) == 0)
		path[sizeof(path) - 2] = (char)('0' + ++count);
	return count;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	unsigned made[8] = {0}, loaded = 0, denied = 0;
	if (argc != 5)
		return 2;
	int fd = open(argv[1], O_RDONLY), loads = atoi(argv[4]);
	snprintf(parameters, sizeof(parameters), "%s", argv[2]);
	ends[0] = argv[2][strlen(argv[2]) - 1];
	ends[1] = argv[3][strlen(argv[3]) - 1];
	pthread_create(&thread, NULL, change, NULL);
	for (int tries = 0; loaded < (unsigned)loads && tries < 20 * loads; tries++) {
		if (syscall(SYS_finit_module, fd, parameters, 0) != 0) {
			denied++;
			continue;
		}
		loaded++;
		made[devices() & 7]++;
		syscall(SYS_delete_module, "dummy", O_NONBLOCK);
	}
	has_ended = 1;
	pthread_join(thread, NULL);
	printf("%u loaded, %s denied\n", loaded, denied > 0 ? "some" : "none");
	for (unsigned count = 0; count < 8; count++)
		if (made[count] > 0)
			printf("%u devices: %u\n", count, made[count]);
	return 0;
}
