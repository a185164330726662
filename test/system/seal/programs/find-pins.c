/*
 * Looks for the pins on a machine that was sealed by its initramfs, as root, and tries to have the kernel unmount them:
 * from the mount namespace of the first process, and from others. Prints for each way whether links are lost:
 *
 *   NAME: held 11 links, DETAIL
 *   NAME: broken, 0 of 11 links are left
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PINS_MAGIC 0xcafe4a11
#define MOVE_FROM_EMPTY_PATH 4
#define MOVE_BENEATH 0x200

static int count_links(void)
{
	int count = 0;
	union bpf_attr attr = {0};
	while (syscall(SYS_bpf, BPF_LINK_GET_NEXT_ID, &attr, sizeof(attr)) == 0) {
		attr.start_id = attr.next_id;
		count++;
	}
	return count;
}

/* What the working directory is, and whether it is of the file system with the pins. */
static const char *here(void)
{
	static char text[64];
	struct statfs system;
	struct stat self, guard;
	if (statfs(".", &system) != 0)
		return strerrorname_np(errno);
	if ((uint32_t)system.f_type == PINS_MAGIC && stat("guard_umount", &guard) == 0)
		return "sees the pins";
	if (stat(".", &self) != 0)
		return strerrorname_np(errno);
	snprintf(text, sizeof(text), "sees magic %#lx", (unsigned long)system.f_type);
	return text;
}

static const char *result_of(long result)
{
	return result == 0 ? "done" : strerrorname_np(errno);
}

static const char *go_up(void)
{
	return chdir("/..") == 0 && chdir("..") == 0 ? here() : result_of(-1);
}

static const char *enter_first(void)
{
	int first = open("/proc/1/ns/mnt", O_RDONLY);
	return setns(first, CLONE_NEWNS) == 0 ? here() : result_of(-1);
}

/* A kernel thread has one from before the initramfs (kdevtmpfs). What its root covers is looked at as well. */
static const char *enter_every(void)
{
	static char said[64];
	struct stat own, other;
	int entered = 0;
	stat("/proc/self/ns/mnt", &own);
	DIR *processes = opendir("/proc");
	for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
		char path[300];
		snprintf(path, sizeof(path), "%s/ns/mnt", entry->d_name);
		int namespace = openat(dirfd(processes), path, O_RDONLY);
		if (namespace < 0 || fstat(namespace, &other) != 0 || other.st_ino == own.st_ino) {
			close(namespace);
			continue;
		}
		entered++;
		for (int round = 0; round < 4 && setns(namespace, CLONE_NEWNS) == 0; round++) {
			const char *saw = here();
			if (strcmp(saw, "sees the pins") == 0)
				return saw;
			rmdir("..");
			umount2("/", MNT_DETACH);
		}
		close(namespace);
	}
	snprintf(said, sizeof(said), "entered %d", entered);
	return said;
}

static const char *enter_kernel_thread(void)
{
	return chdir("/proc/2/root") == 0 && chdir("..") == 0 ? here() : result_of(-1);
}

/* What remains after the root is gone is what setns(2) then leads to. */
static const char *unmount_root(void)
{
	int first = open("/proc/self/ns/mnt", O_RDONLY);
	long result = umount2("/", MNT_DETACH);
	if (result != 0)
		return result_of(result);
	if (setns(first, CLONE_NEWNS) != 0)
		return result_of(-1);
	umount2("/", MNT_DETACH);
	umount2("/..", MNT_DETACH);
	setns(first, CLONE_NEWNS);
	return here();
}

static const char *move_root(void)
{
	mkdir("/tmp/moved", 0700);
	mount("tmpfs", "/tmp/moved", "tmpfs", 0, NULL);
	mkdir("/tmp/moved/root", 0700);
	return result_of(mount("/", "/tmp/moved/root", NULL, MS_MOVE, NULL));
}

static const char *move_parent_of_root(void)
{
	int above = open("/..", O_PATH | O_DIRECTORY);
	mkdir("/tmp/above", 0700);
	return result_of(syscall(SYS_move_mount, above, "", AT_FDCWD, "/tmp/above", MOVE_FROM_EMPTY_PATH));
}

/* Between the root and what it is mounted on, which root may from Linux 7.2 on; in a copy, which others do not need. */
static const char *mount_beneath_root(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) != 0)
		return result_of(-1);
	int context = syscall(SYS_fsopen, "tmpfs", 0);
	syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0);
	int mount = syscall(SYS_fsmount, context, 0, 0);
	long result = syscall(SYS_move_mount, mount, "", AT_FDCWD, "/", MOVE_FROM_EMPTY_PATH | MOVE_BENEATH);
	if (result != 0)
		return result_of(result);
	/* then what is beneath this one */
	umount2("/", MNT_DETACH);
	return here();
}

static const char *unmount_bind_of_root(void)
{
	mkdir("/tmp/bind", 0700);
	mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL);
	mount(NULL, "/..", NULL, MS_SHARED | MS_REC, NULL);
	long result = mount("/", "/tmp/bind", NULL, MS_BIND | MS_REC, NULL);
	if (result == 0)
		result = umount2("/tmp/bind", MNT_DETACH);
	const char *said = result_of(result);
	mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
	return said;
}

/* Removes the directories of the root, but for those that later ways need. */
static const char *remove_directories(void)
{
	static char said[64];
	int removed = 0;
	if (unshare(CLONE_NEWNS) != 0)
		return result_of(-1);
	mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
	DIR *root = opendir("/");
	for (struct dirent *entry; (entry = readdir(root)) != NULL;) {
		if (strcmp(entry->d_name, "tmp") == 0 || strcmp(entry->d_name, "proc") == 0)
			continue;
		umount2(entry->d_name, MNT_DETACH);
		removed += rmdir(entry->d_name) == 0;
	}
	snprintf(said, sizeof(said), "removed %d", removed);
	return said;
}

static const char *unmount_everything_elsewhere(void)
{
	if (unshare(CLONE_NEWNS) != 0)
		return result_of(-1);
	mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
	return unmount_root();
}

/* The mounts of this namespace are its own, but the guard's lock stays. */
static const char *enter_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return result_of(-1);
	return result_of(umount2("/", MNT_DETACH));
}

static const struct {
	const char *name;
	const char *(*look)(void);
} WAYS[] = {
    {"parent of the root", go_up},
    {"mount namespace of the first process", enter_first},
    {"root of a kernel thread", enter_kernel_thread},
    {"mount namespaces of all processes", enter_every},
    {"directories of the root, elsewhere", remove_directories},
    {"root, unmounted elsewhere", unmount_everything_elsewhere},
    {"root, unmounted in a user namespace", enter_user_namespace},
    {"mount beneath the root", mount_beneath_root},
    {"recursive bind of the root", unmount_bind_of_root},
    {"parent of the root, moved", move_parent_of_root},
    {"root, moved", move_root},
    {"root, unmounted", unmount_root},
};

/* Goes the way in a child, which writes what it sees. */
static void look(const char *(*way)(void), char *said, size_t size)
{
	int ends[2];
	ssize_t length = 0;
	if (pipe(ends) == 0 && fork() == 0) {
		const char *text = chdir("/") == 0 ? way() : result_of(-1);
		_exit(write(ends[1], text, strlen(text)) < 0);
	}
	wait(NULL);
	close(ends[1]);
	length = read(ends[0], said, size - 1);
	said[length < 0 ? 0 : length] = 0;
	close(ends[0]);
}

int main(void)
{
	int before = count_links();
	for (size_t i = 0; i < sizeof(WAYS) / sizeof(*WAYS); i++) {
		char said[64] = "";
		look(WAYS[i].look, said, sizeof(said));
		/* links are freed in the background */
		for (int round = 0; round < 10 && count_links() == before; round++)
			usleep(20000);
		int left = count_links();
		if (left < before || strcmp(said, "sees the pins") == 0)
			printf("%s: broken, %d of %d links are left, %s\n", WAYS[i].name, left, before, said);
		else
			printf("%s: held %d links, %s\n", WAYS[i].name, left, said);
		fflush(stdout);
	}
	return 0;
}
