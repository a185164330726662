#include "failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const STEPS[STEP_COUNT] = {"start", "image",  "version", "running", "kernel", "enforced", "list",
                                              "keys",  "btf",    "map",     "program", "cgroup", "pins",     "attach",
                                              "loaded", "canary", "agent",  "latch",   "stop"};

/* Those that bpf(2), mount(2) and open(2) return. */
#define NAMED(name) {name, #name}
static const struct {
	int number;
	const char *name;
} ERRORS[] = {
    NAMED(EPERM),  NAMED(ENOENT), NAMED(EINTR),      NAMED(EIO),     NAMED(E2BIG),  NAMED(EBADF), NAMED(EAGAIN),
    NAMED(ENOMEM), NAMED(EACCES), NAMED(EFAULT),     NAMED(EBUSY),   NAMED(EEXIST), NAMED(ENODEV), NAMED(ENOTDIR),
    NAMED(EINVAL), NAMED(ENFILE), NAMED(EMFILE),     NAMED(ETXTBSY), NAMED(ENOSPC), NAMED(EROFS), NAMED(ERANGE),
    NAMED(ENOSYS), NAMED(ESRCH),  NAMED(EOPNOTSUPP), NAMED(EALREADY),
    NAMED(EKEYREJECTED), NAMED(ENOPKG), NAMED(EBADMSG), NAMED(EDQUOT), NAMED(ENOKEY),
};

const char *step_name(enum step step)
{
	return STEPS[step];
}

const char *errno_name(int error)
{
	static char number[16];
	if (error == 524)
		return "ENOTSUPP"; /* of the kernel, not of errno(3) */
	for (unsigned i = 0; i < sizeof(ERRORS) / sizeof(*ERRORS); i++)
		if (ERRORS[i].number == error)
			return ERRORS[i].name;
	snprintf(number, sizeof(number), "%d", error);
	return number;
}

int fail(struct failure *failure, enum step step, const char *place, const char *detail)
{
	failure->error = errno;
	failure->step = step;
	snprintf(failure->place, sizeof(failure->place), "%s", place);
	snprintf(failure->detail, sizeof(failure->detail), "%s", detail);
	return -1;
}

void print_json_string(const char *text)
{
	putchar('"');
	for (const unsigned char *at = (const unsigned char *)text; *at != 0; at++) {
		if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if (*at < 0x20 || *at >= 0x7f)
			printf("\\u%04x", *at);
		else
			putchar(*at);
	}
	putchar('"');
}

void print_failure(const struct failure *failure)
{
	printf("{\"sealed\":false,\"step\":\"%s\",\"place\":", step_name(failure->step));
	print_json_string(failure->place);
	printf(",\"errno\":");
	if (failure->error == 0)
		printf("null");
	else
		print_json_string(errno_name(failure->error));
	printf(",\"detail\":");
	print_json_string(failure->detail);
	printf("}\n");
	fflush(stdout);
}
