// What a profile is to shut without asking anybody: what it does to who tries, each in a process of its own.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long x32(void)
{
	return syscall(0x40000000 | SYS_bpf, 5, 0, 0);
}

static long i386(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(357), "b"(5), "c"(0), "d"(0) : "memory");
	errno = -result;
	return result;
}

static long load(void)
{
	return syscall(SYS_kexec_load, 0, 0, 0, 0);
}

static long file_load(void)
{
	return syscall(SYS_kexec_file_load, -1, -1, 0, 0, 0);
}

static const struct {
	const char *name;
	long (*try)(void);
} DOORS[] = {{"x32", x32}, {"i386", i386}, {"kexec_load", load}, {"kexec_file_load", file_load}};

int main(void)
{
	for (size_t i = 0; i < sizeof(DOORS) / sizeof(*DOORS); i++) {
		int status;
		pid_t child = fork();

		if (child == 0)
			_exit(DOORS[i].try() >= 0 ? 1 : errno == EPERM ? 2 : 3);
		waitpid(child, &status, 0);
		if (WIFSIGNALED(status))
			printf("%s: killed by %s\n", DOORS[i].name, WTERMSIG(status) == SIGSYS ? "SIGSYS" : "another signal");
		else
			printf("%s: %s\n", DOORS[i].name, (const char *[]){"?", "open", "EPERM", "another errno"}[WEXITSTATUS(status)]);
	}
	return 0;
}
