#include "agent-root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAX_NAME 4096

static int move_file(const char *from, const char *to, const struct stat *status)
{
	int source = open(from, O_RDONLY | O_CLOEXEC);
	int target = source < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status->st_mode & 0777);
	off_t left = status->st_size;
	int result = target < 0 ? -1 : 0;
	while (result == 0 && left > 0) {
		ssize_t done = sendfile(target, source, NULL, (size_t)left);
		if (done <= 0)
			result = -1;
		left -= done;
	}
	int error = errno;
	close(source);
	close(target);
	errno = error;
	/* the memory of each file is free before the next one is copied */
	return result == 0 ? unlink(from) : -1;
}

/* `from` and `to` have room for MAX_NAME bytes; both are unchanged afterwards. */
static int move_folder(char *from, char *to, char *place)
{
	size_t from_length = strlen(from), to_length = strlen(to);
	DIR *folder = opendir(from);
	int result = folder == NULL ? -1 : 0;
	for (struct dirent *entry; result == 0 && (entry = readdir(folder)) != NULL;) {
		struct stat status;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		errno = ENAMETOOLONG;
		if (snprintf(from + from_length, MAX_NAME - from_length, "/%s", entry->d_name) >= (int)(MAX_NAME - from_length) ||
		    snprintf(to + to_length, MAX_NAME - to_length, "/%s", entry->d_name) >= (int)(MAX_NAME - to_length) ||
		    lstat(from, &status) != 0)
			result = -1;
		else if (S_ISDIR(status.st_mode))
			result = mkdir(to, status.st_mode & 0777) != 0 ? -1 : move_folder(from, to, place);
		else
			result = move_file(from, to, &status);
		if (result != 0 && place[0] == 0)
			snprintf(place, 96, "%.95s", to);
		from[from_length] = to[to_length] = 0;
	}
	int error = errno;
	if (folder != NULL)
		closedir(folder);
	errno = error;
	return result;
}

/* Folders that the files of the agent need not have. */
static int make_folder(const char *path)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
}

static int add_kernel_files(void)
{
	static const struct {
		const char *path;
		int minor;
	} DEVICES[] = {{AGENT_ROOT "/dev/null", 3}, {AGENT_ROOT "/dev/zero", 5}, {AGENT_ROOT "/dev/urandom", 9}};
	if (make_folder(AGENT_ROOT "/proc") != 0 || make_folder(AGENT_ROOT "/sys") != 0 ||
	    make_folder(AGENT_ROOT "/dev") != 0 || make_folder(AGENT_ROOT "/tmp") != 0)
		return -1;
	for (unsigned i = 0; i < sizeof(DEVICES) / sizeof(*DEVICES); i++)
		if (mknod(DEVICES[i].path, S_IFCHR | 0666, makedev(1, DEVICES[i].minor)) != 0)
			return -1;
	if (mount("proc", AGENT_ROOT "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) != 0)
		return -1;
	return mount("sysfs", AGENT_ROOT "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL);
}

int make_agent_root(const char *files, struct failure *failure)
{
	char from[MAX_NAME], to[MAX_NAME], place[96] = "";
	/* root could change what is in swap space */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("agent", AGENT_ROOT, "tmpfs", MS_NOSUID, "mode=0755,size=90%,noswap") != 0)
		return fail(failure, STEP_AGENT, AGENT_ROOT, "cannot be mounted");
	snprintf(from, sizeof(from), "%s", files);
	snprintf(to, sizeof(to), AGENT_ROOT);
	if (move_folder(from, to, place) != 0)
		return fail(failure, STEP_AGENT, place[0] == 0 ? files : place, "cannot be copied");
	if (add_kernel_files() != 0)
		return fail(failure, STEP_AGENT, AGENT_ROOT, "cannot be given proc, sysfs and devices");
	/* the file system, not only this mount of it */
	if (mount(NULL, AGENT_ROOT, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL) != 0)
		return fail(failure, STEP_AGENT, AGENT_ROOT, "cannot be made read-only");
	return 0;
}
