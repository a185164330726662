/*
 * What root tries against the agent of a sealed machine. Prints for each attack how it ended.
 *
 *   attack-agent PID FILE     FILE is one that only the agent's root has
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Of linux/nsfs.h in Linux 6.12. */
struct namespace_info {
	uint32_t size;
	uint32_t mounts;
	uint64_t id;
};
#define NEXT_MOUNT_NAMESPACE _IOR(0xb7, 11, struct namespace_info)

static void report(const char *attack, long result)
{
	const char *name = result >= 0 ? "DONE" : strerrorname_np(errno);
	printf("%s: %s\n", attack, name == NULL ? strerror(errno) : name);
	fflush(stdout);
}

static long open_of(int pid, const char *name, int flags)
{
	char path[512];
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags | O_CLOEXEC);
}

static void write_uprobe(int pid, const char *file)
{
	char text[512];
	int events = open("/sys/kernel/tracing/uprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	snprintf(text, sizeof(text), "p:attack /proc/%d/root%s:0x1000\n", pid, file);
	report("uprobe", events < 0 ? -1 : write(events, text, strlen(text)));
}

/* Enters every mount namespace that the kernel lists, and looks for the file. */
static void walk_namespaces(const char *file)
{
	int at = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), found = 0, count = 0;
	int first = at;
	struct namespace_info info = {.size = sizeof(info)};
	/* from the one with the lowest id: the first process has it */
	int init = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	for (at = init; at >= 0; at = ioctl(at, NEXT_MOUNT_NAMESPACE, &info)) {
		count++;
		if (unshare(CLONE_FS) == 0 && setns(at, CLONE_NEWNS) == 0 && access(file, F_OK) == 0)
			found++;
	}
	setns(first, CLONE_NEWNS);
	printf("mount namespaces: %s, %d with the file\n", count > 1 ? "several" : "one", found);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int pid = atoi(argv[1]);
	char root[512], byte;
	struct iovec own = {.iov_base = &byte, .iov_len = 1}, other = {.iov_base = (void *)0x400000, .iov_len = 1};
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	report("SIGKILL", kill(pid, SIGKILL));
	report("SIGSTOP", kill(pid, SIGSTOP));
	report("pidfd SIGKILL", syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0));
	report("ptrace", ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	report("pidfd_getfd", syscall(SYS_pidfd_getfd, process, 1, 0));
	report("process_vm_readv", process_vm_readv(pid, &own, 1, &other, 1, 0));
	report("memory", open_of(pid, "mem", O_RDWR));
	report("environment", open_of(pid, "environ", O_RDONLY));
	report("mappings", open_of(pid, "map_files", O_RDONLY | O_DIRECTORY) < 0 ? -1 : open_of(pid, "maps", O_RDONLY));
	report("executable", open_of(pid, "exe", O_RDONLY));
	snprintf(root, sizeof(root), "root%s", argv[2]);
	report("file", open_of(pid, root, O_RDONLY));
	report("mount namespace", open_of(pid, "ns/mnt", O_RDONLY));
	report("namespaces of the pidfd", setns(process, CLONE_NEWNS));
	write_uprobe(pid, argv[2]);
	walk_namespaces(argv[2]);
	return 0;
}
