/*
 * The file system with the pins is mounted on the root of the initramfs, where its mount point is no directory that
 * could be removed: rmdir(2) in another mount namespace unmounts what is mounted on a directory (__detach_mounts() of
 * fs/namespace.c). Over it is the _cover_, a bind mount of the initramfs, which becomes the root directory of the first
 * process:
 *
 *   initramfs, which nobody has for a root directory any more
 *     pins
 *       cover: the initramfs again
 *         root file system, once the machine has left the initramfs
 *
 * Every path, and setns(2) into this namespace, ends at the top. The cover is locked to the mount below it (MNT_LOCKED),
 * so that it can neither be unmounted nor moved; pivot_root(2) hands the lock on to the new root. The kernel locks
 * mounts that it copies into a mount namespace of another user namespace (lock_mnt_tree() of fs/namespace.c), and a copy
 * of these keeps the locks, all but that of its root. So a child makes the copy in namespaces of its own.
 */
#define _GNU_SOURCE
#include "cover.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLONE_TREE (1 | 0x8000 | O_CLOEXEC) /* OPEN_TREE_CLONE, AT_RECURSIVE, OPEN_TREE_CLOEXEC */
#define EMPTY_PATH 0x1000 /* AT_EMPTY_PATH */
#define MOVE_FROM_EMPTY_PATH 4 /* MOVE_MOUNT_F_EMPTY_PATH */
#define NO_FD 255

/* A copy of the mount of the working directory, with what is mounted on it. */
static int copy_tree(void)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, "", CLONE_TREE | EMPTY_PATH);
}

/* The same, with the mounts on it locked. Returns an fd, or -1 if there are no user namespaces. */
static int copy_locked_tree(void)
{
	int status;
	/* the child shares the table of fds, and nothing else */
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		int tree = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 ? copy_tree() : -1;
		_exit(tree < 0 || tree >= NO_FD ? NO_FD : tree);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == NO_FD)
		return -1;
	return WEXITSTATUS(status);
}

/* Copies the mount at the folder of pins with a cover on it. The folder is then free again. */
static int copy_covered(const char *pins)
{
	if (chdir(pins) != 0 || mount("/", pins, NULL, MS_BIND, NULL) != 0)
		return -1;
	int tree = copy_locked_tree();
	if (tree < 0) {
		printf("countersign: no user namespaces: root can reach the guard's pins\n");
		tree = copy_tree();
	}
	int error = errno;
	if (umount2(pins, MNT_DETACH) == 0 && chdir("/") == 0 && umount2(pins, MNT_DETACH) == 0 && rmdir(pins) == 0)
		errno = error;
	return tree;
}

int cover_pins(struct loaded *loaded, struct failure *failure)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int tree = root < 0 ? -1 : copy_covered(loaded->pins);
	if (tree < 0 || syscall(SYS_move_mount, tree, "", AT_FDCWD, "/", MOVE_FROM_EMPTY_PATH) != 0) {
		fail(failure, STEP_PINS, "folder of pins", "cannot be covered");
		close(tree);
		close(root);
		return -1;
	}
	loaded->pins[0] = 0;
	loaded->covered = tree;
	loaded->below = root;
	/* `..` of a root directory is what is mounted on it */
	if (chdir("/..") == 0 && chroot(".") == 0)
		return 0;
	return fail(failure, STEP_PINS, "cover of the pins", "cannot become the root directory");
}

void uncover_pins(struct loaded *loaded)
{
	if (loaded->covered < 0)
		return;
	if (fchdir(loaded->below) == 0 && chroot(".") == 0 && fchdir(loaded->covered) == 0)
		umount2(".", MNT_DETACH);
	if (chdir("/") != 0)
		errno = 0;
	close(loaded->covered);
	close(loaded->below);
	loaded->covered = loaded->below = -1;
}
