/*
 * Loads a guard from its image, attaches it and seals it. As pid 1 (rdinit=/countersign/init) it then becomes /init.
 *
 *   loader IMAGE            on a running machine; prints one line of JSON. `-` is standard input
 *   loader --stop           detaches a guard that is in audit
 *   loader --canary         exit status 0 if the canary program is denied, 1 if it can be loaded
 *     --loaded ID,ID,…      fails if other programs were loaded before the guard was attached
 *     --agent PID           marks this process as the agent, whose tickets let programs load
 *     --log                 prints the verifier's whole log if a program is rejected
 *     --statistics          prints what the verifier says of each program
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "boot-agent.h"
#include "bpf.h"
#include "seal.h"

#define BOOT_INIT "/countersign/init"
#define BOOT_IMAGE "/countersign/image"
#define NEXT_INIT "/init"

/* Reads the whole file; `-` is standard input. The bytes stay until the process ends. */
static int read_image(const char *path, struct request *request, struct failure *failure)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 1 << 20, size = 0;
	uint8_t *bytes = malloc(room);
	if (fd < 0)
		return fail(failure, STEP_IMAGE, path, "cannot be read");
	for (;;) {
		if (bytes == NULL)
			return fail(failure, STEP_IMAGE, path, "there is no memory");
		ssize_t got = read(fd, bytes + size, room - size);
		if (got < 0)
			return fail(failure, STEP_IMAGE, path, "cannot be read");
		if (got == 0)
			break;
		size += (size_t)got;
		if (size == room)
			bytes = realloc(bytes, room *= 2);
	}
	if (fd != STDIN_FILENO)
		close(fd);
	request->image = bytes;
	request->size = size;
	return 0;
}

/* A guard that is attached and not sealed would stay: signals wait until it is one or the other. */
static void block_signals(sigset_t *before)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
}

static int run_late(struct request *request, const char *path)
{
	struct failure failure;
	sigset_t before;
	block_signals(&before);
	request->late = 1;
	if (read_image(path, request, &failure) == 0 && seal(request, &failure) == 0)
		return 0;
	print_failure(&failure);
	return 1;
}

static int run_stop(void)
{
	struct failure failure;
	int count = stop_guard(&failure);
	if (count < 0) {
		print_failure(&failure);
		return 1;
	}
	printf("{\"stopped\":%d}\n", count);
	return 0;
}

static void halt(void)
{
	sync();
	reboot(RB_HALT_SYSTEM);
	for (;;)
		pause();
}

/* Whether the image says so; an image that is none says nothing. */
static int continues_after(const struct request *request, const struct failure *failure)
{
	const struct image_header *header = (const void *)request->image;
	return failure->step > STEP_IMAGE && request->size >= sizeof(*header) && header->on_failure == IMAGE_CONTINUE;
}

static void run_init(char **argv)
{
	struct request request = {.late = 0};
	struct failure failure;
	if (read_image(BOOT_IMAGE, &request, &failure) != 0 || start_agent(&request.agent, &failure) != 0 ||
	    seal(&request, &failure) != 0) {
		int go_on = continues_after(&request, &failure);
		end_agent(request.agent);
		printf("countersign: not sealed: %s: %s%s%s: ", failure.place, failure.error == 0 ? "" : errno_name(failure.error),
		       failure.error == 0 ? "" : ": ", failure.detail);
		printf(go_on ? "continuing without a seal\n" : "halting\n");
		fflush(stdout);
		if (!go_on)
			halt();
	} else {
		printf("countersign: sealed\n");
		fflush(stdout);
	}
	argv[0] = NEXT_INIT;
	execv(NEXT_INIT, argv);
	printf("countersign: cannot run " NEXT_INIT ": %s: halting\n", errno_name(errno));
	fflush(stdout);
	halt();
}

int main(int argc, char **argv)
{
	struct request request = {.late = 1};
	const char *path = NULL;
	/* The first process of a container has pid 1 as well. */
	if (getpid() == 1 && strcmp(argv[0], BOOT_INIT) == 0)
		run_init(argv);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--log") == 0)
			request.options.log = 1;
		else if (strcmp(argv[i], "--statistics") == 0)
			request.options.statistics = 1;
		else if (strcmp(argv[i], "--loaded") == 0 && i + 1 < argc)
			request.loaded = argv[++i];
		else if (strcmp(argv[i], "--agent") == 0 && i + 1 < argc)
			request.agent = atoi(argv[++i]);
		else if (strcmp(argv[i], "--stop") == 0)
			return run_stop();
		else if (strcmp(argv[i], "--canary") == 0)
			return load_canary() >= 0;
		else
			path = argv[i];
	}
	if (path == NULL) {
		fprintf(stderr, "usage: loader [--loaded IDS] [--agent PID] [--log] [--statistics] IMAGE | --stop | --canary\n");
		return 2;
	}
	return run_late(&request, path);
}
