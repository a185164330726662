/*
 * write-variable NAME GUID FILE: writes an EFI variable, whose attributes are the first 4 bytes of the file, and prints
 * how that ended. efivarfs has most variables immutable: root takes that away first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int write_variable(const char *path, const char *file)
{
	char bytes[16384];
	int flags = 0, from = open(file, O_RDONLY), to = open(path, O_RDONLY);
	ssize_t size = read(from, bytes, sizeof(bytes));

	if (to >= 0 && (ioctl(to, FS_IOC_GETFLAGS, &flags) != 0 || flags & FS_IMMUTABLE_FL)) {
		flags &= ~FS_IMMUTABLE_FL;
		if (ioctl(to, FS_IOC_SETFLAGS, &flags) != 0)
			return errno;
	}
	to = open(path, O_WRONLY | O_CREAT, 0644);
	if (size < 0 || to < 0 || write(to, bytes, (size_t)size) != size)
		return errno;
	return 0;
}

int main(int argc, char **argv)
{
	char path[256];

	if (argc != 4)
		return 2;
	snprintf(path, sizeof(path), "/sys/firmware/efi/efivars/%s-%s", argv[1], argv[2]);
	int error = write_variable(path, argv[3]);
	printf("%s: %s\n", argv[1], error == 0 ? "written" : strerrorname_np(error));
	return 0;
}
