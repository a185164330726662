/*
 * load-module NAME CALL FILE [PARAMETERS]: loads a kernel module, prints how that ended, and unloads it. CALL is `init`,
 * `finit`, or `compressed`: finit_module(2) with MODULE_INIT_COMPRESSED_FILE.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/module.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "denials.h"

/* The name under which the kernel has the module of a file `/…/NAME.ko…`. */
static void unload(const char *path)
{
	char name[64];
	const char *base = strrchr(path, '/') + 1;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	for (char *at = name; *at != 0; at++)
		if (*at == '-')
			*at = '_';
	syscall(SYS_delete_module, name, O_NONBLOCK);
}

static int load(const char *call, const char *path, const char *parameters)
{
	struct stat status;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &status) != 0)
		return errno;
	if (strcmp(call, "init") != 0)
		return syscall(SYS_finit_module, fd, parameters,
		               strcmp(call, "compressed") == 0 ? MODULE_INIT_COMPRESSED_FILE : 0) == 0
		           ? 0
		           : errno;
	char *bytes = malloc(status.st_size);
	ssize_t size = 0;
	for (ssize_t got; (got = read(fd, bytes + size, status.st_size - size)) > 0;)
		size += got;
	return syscall(SYS_init_module, bytes, size, parameters) == 0 ? 0 : errno;
}

int main(int argc, char **argv)
{
	uint64_t before[GUARD_REASONS];
	if (argc != 4 && argc != 5)
		return 2;
	read_denied(before);
	int error = load(argv[2], argv[3], argc == 5 ? argv[4] : "");
	print_result(argv[1], error, before);
	if (error == 0)
		unload(argv[3]);
	return 0;
}
