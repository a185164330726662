// Says all that a program inherits from whoever executed it, one `name: value` a line.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

extern char **environ;

static void hex(const char *name, char **strings)
{
	for (int i = 0; strings[i]; i++) {
		printf("%s %d: ", name, i);
		for (const unsigned char *c = (void *)strings[i]; *c; c++)
			printf(*c < 32 || *c > 126 ? "\\x%02x" : "%c", *c);
		putchar('\n');
	}
}

static void fds(void)
{
	for (int fd = 0; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFL);
		struct stat st;

		if (flags < 0)
			continue;
		fstat(fd, &st);
		printf("fd %d: %lx:%lu mode %o flags %o cloexec %d at %ld\n", fd, st.st_dev, st.st_ino, st.st_mode, flags,
		       fcntl(fd, F_GETFD), (long)lseek(fd, 0, SEEK_CUR));
	}
}

static void terminal(void)
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY);
	struct termios t;

	printf("controlling terminal: %s\n", tty < 0 ? "none" : "one");
	if (tty < 0)
		return;
	tcgetattr(tty, &t);
	printf("foreground: %d\n", tcgetpgrp(tty) == getpgrp());
	printf("modes: %x %x %x %x\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	close(tty);
}

static void status(void)
{
	static const char *const fields[] = {"Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "SigPnd", "ShdPnd",
		"Cap", "NoNewPrivs", "Cpus_allowed:", "Mems_allowed:", "Threads", "CoreDumping", "THP"};
	FILE *file = fopen("/proc/self/status", "r");
	char line[1024];

	while (fgets(line, sizeof(line), file))
		for (unsigned i = 0; i < sizeof(fields) / sizeof(*fields); i++)
			if (!strncmp(line, fields[i], strlen(fields[i])))
				fputs(line, stdout);
	fclose(file);
}

static void limits(void)
{
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		getrlimit(i, &limit);
		printf("limit %d: %lx %lx\n", i, limit.rlim_cur, limit.rlim_max);
	}
}

int main(int argc, char **argv)
{
	char path[4096];
	struct sched_param param;

	fds();
	hex("argument", argv);
	hex("variable", environ);
	printf("folder: %s\n", getcwd(path, sizeof(path)));
	printf("session: %d\n", getsid(0));
	printf("group leads: %d\n", getpgrp() == getpid());
	terminal();
	status();
	limits();
	sched_getparam(0, &param);
	printf("nice: %d\nscheduler: %d %d\nio: %ld\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
	       param.sched_priority, syscall(SYS_ioprio_get, 1, 0));
	printf("personality: %x\ndumpable: %d\nslack: %d\nkeep: %d\nsecurebits: %x\nsubreaper: %d\n", personality(~0u), prctl(PR_GET_DUMPABLE),
	       prctl(PR_GET_TIMERSLACK), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS), 0);
	(void)argc;
	return 0;
}
