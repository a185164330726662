#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BPF_FS_MAGIC 0xcafe4a11
#define BPF_MOUNT "/sys/fs/bpf"
/* At boot a folder in the root of the initramfs, until the pins are covered (cover.c). */
#define BOOT_PINS "/countersign-bpf"
#define LATE_PINS BPF_MOUNT "/countersign"

#define CONFIG_CREATE 6 /* FSCONFIG_CMD_CREATE of linux/mount.h */

int open_file_system(const char *type)
{
	int context = (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
	if (context < 0)
		return -1;
	int mount = -1;
	if (syscall(SYS_fsconfig, context, CONFIG_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, 0);
	int error = errno;
	close(context);
	int root = mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount >= 0) {
		error = errno;
		close(mount);
	}
	errno = error;
	return root;
}

static int mounted;

int make_pins(struct loaded *loaded, int late)
{
	const char *path = late ? LATE_PINS : BOOT_PINS;
	struct statfs system;
	if (late) {
		if (statfs(BPF_MOUNT, &system) != 0)
			return -1;
		if ((uint32_t)system.f_type != BPF_FS_MAGIC) {
			if (mount("bpf", BPF_MOUNT, "bpf", 0, "mode=0700") != 0)
				return -1;
			mounted = 1;
		}
	}
	if (mkdir(path, 0700) != 0) {
		int error = errno;
		if (mounted)
			umount2(BPF_MOUNT, 0);
		mounted = 0;
		errno = error;
		return -1;
	}
	snprintf(loaded->pins, sizeof(loaded->pins), "%s", path);
	if (late || mount("bpf", path, "bpf", 0, "mode=0700") == 0)
		return 0;
	int error = errno;
	undo_pins(loaded);
	errno = error;
	return -1;
}

void undo_pins(struct loaded *loaded)
{
	if (loaded->pins[0] == 0)
		return;
	if (strcmp(loaded->pins, BOOT_PINS) == 0)
		umount2(BOOT_PINS, 0);
	rmdir(loaded->pins);
	loaded->pins[0] = 0;
	if (mounted)
		umount2(BPF_MOUNT, 0);
	mounted = 0;
}

int in_first_namespaces(void)
{
	/* PROC_PID_INIT_INO, PROC_USER_INIT_INO and PROC_CGROUP_INIT_INO of include/linux/proc_ns.h. */
	static const struct {
		const char *path;
		ino_t number;
	} FIRST[] = {
	    {"/proc/self/ns/pid", 0xeffffffc},
	    {"/proc/self/ns/user", 0xeffffffd},
	    {"/proc/self/ns/cgroup", 0xeffffffb},
	};
	for (unsigned i = 0; i < sizeof(FIRST) / sizeof(*FIRST); i++) {
		struct stat found;
		if (stat(FIRST[i].path, &found) != 0 || found.st_ino != FIRST[i].number)
			return 0;
	}
	return 1;
}
