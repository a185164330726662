/* Cgroups of threads, of a cgroup namespace, and tasks that are moved while they load. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

/* Writes a file of the cgroup `name` below the root, which it makes. Returns whether the kernel took it. */
static bool write_in(const char *name, const char *file, const char *text)
{
	char path[64];
	int root = root_cgroup();
	mkdirat(root, name, 0755);
	snprintf(path, sizeof path, "%s/%s", name, file);
	int fd = openat(root, path, O_WRONLY);
	bool is_taken = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int error = errno;
	close(fd);
	close(root);
	errno = error;
	return is_taken;
}

static void *load_in_threaded(void *unused)
{
	if (!write_in("attack-threads", "cgroup.threads", "0"))
		held("write of cgroup.threads");
	end_with_unlisted_load("a thread moved to a threaded cgroup");
	return unused;
}

/* One thread in another cgroup than its process. */
static void threaded_cgroup(void)
{
	pthread_t thread;
	if (!write_in("attack-threads", "cgroup.type", "threaded"))
		held("write of cgroup.type");
	pthread_create(&thread, NULL, load_in_threaded, NULL);
	pthread_join(thread, NULL);
}

static volatile bool is_over;

static void *move_process(void *unused)
{
	char self[16];
	snprintf(self, sizeof self, "%d", getpid());
	for (int round = 0; !is_over; round++)
		write_in(round % 2 ? "attack-left" : "attack-right", "cgroup.procs", self);
	return unused;
}

/* Another thread moves the process to and fro. */
static void migrating_loads(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, move_process, NULL);
	for (int round = 0; round < 500; round++)
		if (load_unlisted() >= 0)
			broken("an unlisted program loads while the process is moved, load %d", round);
	int error = errno;
	is_over = true;
	pthread_join(thread, NULL);
	errno = error;
	held("500 loads while the process is moved");
}

/* In a cgroup namespace the process's own cgroup is the root; a program is attached there with flags 0. */
static void namespace_root(void)
{
	int program = accomplice(ALLOW_LOADS);
	if (!write_in("attack-root", "cgroup.procs", "0"))
		held("write of cgroup.procs");
	if (unshare(CLONE_NEWCGROUP | CLONE_NEWNS))
		held("unshare");
	mkdir("/tmp/attack-root", 0700);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("cgroup2", "/tmp/attack-root", "cgroup2", 0, NULL))
		held("mount of cgroup2");
	if (program < 0)
		held("load of the program");
	int root = open("/tmp/attack-root", O_RDONLY | O_DIRECTORY);
	if (attach(root, program, BPF_LSM_CGROUP, 0))
		held("BPF_PROG_ATTACH to the root of a cgroup namespace");
	int loaded = load_unlisted();
	int error = errno;
	detach(root, program, BPF_LSM_CGROUP);
	errno = error;
	if (loaded < 0)
		held("load after the attach");
	broken("attached to the root of a cgroup namespace, and an unlisted program loads");
}

const struct attack cgroup_attacks[] = {
    {"threaded-cgroup", threaded_cgroup},
    {"migrating-loads", migrating_loads},
    {"namespace-root", namespace_root},
    {0},
};
