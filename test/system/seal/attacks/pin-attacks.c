/* The file system with the pins of the guard's links. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

/* Where the loader pins a late guard. At boot no path leads there: programs/find-pins.c looks for it. */
#define FOLDER "/sys/fs/bpf/countersign"

const char *pins(char *path, size_t size)
{
	DIR *folder = opendir(FOLDER);
	struct dirent *entry;
	while (folder && (entry = readdir(folder)))
		if (strncmp(entry->d_name, "guard_", 6) == 0) {
			snprintf(path, size, FOLDER "/%s", entry->d_name);
			/* an open folder would keep its mount */
			closedir(folder);
			return FOLDER;
		}
	skipped("no pins in sight");
}

uint32_t count_links(void)
{
	uint32_t count = 0;
	for (uint32_t id = 0; (id = next_id(BPF_LINK_GET_NEXT_ID, id));)
		count++;
	return count;
}

/* Links are freed in the background. */
_Noreturn void end_with_links(uint32_t before, const char *how)
{
	for (int round = 0; round < 50 && count_links() >= before; round++)
		usleep(20000);
	if (count_links() >= before) {
		errno = EPERM;
		held("links are still there");
	}
	broken("%s: %u of %u links are left", how, count_links(), before);
}

static void unlink_pin(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	if (unlink(path))
		held("unlink");
	end_with_links(before, "unlinked a pin");
}

/* Ends without a line if the fd is one by which the link can be detached or given another program. */
static void link_by_pin(void)
{
	char path[300];
	pins(path, sizeof path);
	union bpf_attr attr = {0};
	attr.pathname = (uintptr_t)path;
	int link = bpf(BPF_OBJ_GET, &attr, sizeof attr), program = accomplice(SPARE);
	if (link < 0)
		held("BPF_OBJ_GET");
	memset(&attr, 0, sizeof attr);
	attr.link_detach.link_fd = link;
	if (bpf(BPF_LINK_DETACH, &attr, sizeof attr) == 0)
		exit(1);
	memset(&attr, 0, sizeof attr);
	attr.link_update.link_fd = link;
	attr.link_update.new_prog_fd = program;
	if (program >= 0 && bpf(BPF_LINK_UPDATE, &attr, sizeof attr) == 0)
		exit(1);
	broken("has an fd of the link");
}

static void rename_over_pin(void)
{
	char path[300], other[300];
	pins(path, sizeof path);
	snprintf(other, sizeof other, FOLDER "/attack-map");
	uint32_t before = count_links();
	int map = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	union bpf_attr attr = {0};
	attr.pathname = (uintptr_t)other;
	attr.bpf_fd = map;
	if (bpf(BPF_OBJ_PIN, &attr, sizeof attr))
		held("BPF_OBJ_PIN");
	if (rename(other, path)) {
		int error = errno;
		unlink(other);
		errno = error;
		held("rename");
	}
	/* the next attack on pins would take it for one of the guard */
	unlink(path);
	end_with_links(before, "renamed over a pin");
}

static void unmount_pins(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	if (umount2("/sys/fs/bpf", MNT_DETACH))
		held("umount2");
	end_with_links(before, "unmounted");
}

/* MNT_DETACH takes what is mounted below with it. */
static void unmount_above(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	if (umount2("/sys", MNT_DETACH))
		held("umount2 with MNT_DETACH");
	end_with_links(before, "unmounted from above");
}

/* Unmounting propagates to the namespace of init if the mounts are shared, as systemd makes them. */
static void unmount_peer(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	if (mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL))
		held("mount --make-rshared");
	int error = 0;
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS))
			_exit(errno);
		_exit(umount2("/sys/fs/bpf", MNT_DETACH) ? errno : 0);
	}
	waitpid(child, &error, 0);
	mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
	if (error) {
		errno = WEXITSTATUS(error);
		held("umount2 in another mount namespace");
	}
	end_with_links(before, "unmounted a peer");
}

/* The mount above the pins' is a peer here, and takes them with it although its file system is another one. */
static void unmount_peer_above(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	if (mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL))
		held("mount --make-rshared");
	int error = 0;
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS))
			_exit(errno);
		_exit(umount2("/sys", MNT_DETACH) ? errno : 0);
	}
	waitpid(child, &error, 0);
	mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
	if (error) {
		errno = WEXITSTATUS(error);
		held("umount2 of /sys in another mount namespace");
	}
	end_with_links(before, "unmounted a peer of the mount above");
}

/* mount --move to another place, and unmounting there. */
static void move_mount_of_pins(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	mkdir("/tmp/moved", 0700);
	if (mount("tmpfs", "/tmp/moved", "tmpfs", 0, NULL) || mkdir("/tmp/moved/pins", 0700))
		held("mount");
	if (mount("/sys/fs/bpf", "/tmp/moved/pins", NULL, MS_MOVE, NULL))
		held("mount --move");
	if (umount2("/tmp/moved", MNT_DETACH)) {
		int error = errno;
		mount("/tmp/moved/pins", "/sys/fs/bpf", NULL, MS_MOVE, NULL);
		umount2("/tmp/moved", MNT_DETACH);
		errno = error;
		held("umount2 after mount --move");
	}
	end_with_links(before, "moved and unmounted");
}

/* Runs in a mount namespace of its own, where nothing is mounted on /sys, and returns the errno. */
static int elsewhere(int (*run)(void))
{
	int error = 0;
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) ||
		    umount2("/sys", MNT_DETACH))
			_exit(errno);
		_exit(run() ? errno : 0);
	}
	waitpid(child, &error, 0);
	return errno = WEXITSTATUS(error);
}

static int remove_sys(void)
{
	return rmdir("/sys");
}

/* The kernel unmounts what is mounted on a directory that is removed, in every mount namespace. */
static void remove_mount_point(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	if (elsewhere(remove_sys))
		held("rmdir in another mount namespace");
	end_with_links(before, "removed the mount point");
}

static int rename_over_sys(void)
{
	return mkdir("/sys2", 0700) || rename("/sys2", "/sys");
}

/* So does a rename over it. */
static void rename_over_mount_point(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	if (elsewhere(rename_over_sys)) {
		int error = errno;
		rmdir("/sys2");
		errno = error;
		held("rename in another mount namespace");
	}
	end_with_links(before, "renamed over the mount point");
}

/* A recursive bind of shared mounts: unmounting it propagates to what is mounted on the first one. */
static void unmount_bind(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	mkdir("/tmp/bind", 0700);
	if (mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) ||
	    mount("/sys", "/tmp/bind", NULL, MS_BIND | MS_REC, NULL))
		held("mount --make-rshared and --rbind");
	int result = umount2("/tmp/bind", MNT_DETACH), error = errno;
	mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
	if (result) {
		umount2("/tmp/bind", MNT_DETACH);
		errno = error;
		held("umount2 of a bind mount");
	}
	end_with_links(before, "unmounted a bind mount");
}

/* To a directory of which the kernel loses the mount without a hook, such as one of FUSE. Unmounting shows the move. */
static void move_pins_by_fd(void)
{
	char path[300];
	pins(path, sizeof path);
	uint32_t before = count_links();
	mkdir("/tmp/by-fd", 0700);
	if (mount("tmpfs", "/tmp/by-fd", "tmpfs", 0, NULL) || mkdir("/tmp/by-fd/pins", 0700))
		held("mount");
	if (syscall(SYS_move_mount, AT_FDCWD, "/sys/fs/bpf", AT_FDCWD, "/tmp/by-fd/pins", 0)) {
		int error = errno;
		umount2("/tmp/by-fd", MNT_DETACH);
		errno = error;
		held("move_mount");
	}
	if (umount2("/tmp/by-fd", MNT_DETACH))
		broken("moved the mount of the pins");
	end_with_links(before, "moved and unmounted");
}

/* The old root, on which the pins are, moves to a directory of the new one. */
static void pivot_away(void)
{
	char path[300];
	pins(path, sizeof path);
	mkdir("/tmp/root", 0700);
	if (mount("tmpfs", "/tmp/root", "tmpfs", 0, NULL) || mkdir("/tmp/root/new", 0700) ||
	    mount("tmpfs", "/tmp/root/new", "tmpfs", 0, NULL) || mkdir("/tmp/root/new/old", 0700))
		held("mount");
	/* the root of the initramfs cannot move before Linux 7.2, so a mount for which the kernel allows it */
	if (chroot("/tmp/root") || chdir("/"))
		held("chroot");
	if (syscall(SYS_pivot_root, "/new", "/new/old"))
		held("pivot_root");
	broken("moved a root in the mount namespace of the pins");
}

const struct attack pin_attacks[] = {
    {"unlink-pin", unlink_pin},
	{"link-by-pin", link_by_pin},
    {"rename-over-pin", rename_over_pin},
    {"move-mount", move_mount_of_pins},
    {"unmount-peer", unmount_peer},
    {"unmount-peer-above", unmount_peer_above},
    {"unmount-pins", unmount_pins},
    {"unmount-above", unmount_above},
    {"remove-mount-point", remove_mount_point},
    {"rename-over-mount-point", rename_over_mount_point},
    {"unmount-bind", unmount_bind},
    {"move-pins-by-fd", move_pins_by_fd},
    {"pivot-away", pivot_away},
    {0},
};
