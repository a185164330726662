/*
 * serve-file FOLDER FIRST SECOND: mounts a FUSE file system with one file, FOLDER/file, and serves it in the
 * background. Whoever opens it first reads what FIRST has, and everybody after that what SECOND has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILE_NODE 2
#define ROOM (1 << 17)

static struct contents {
	char *bytes;
	size_t size;
} contents[2];
/* How often the file was opened: the index of what the next one reads is 0, or 1 from then on. */
static unsigned opens;

static struct contents read_contents(const char *path)
{
	struct stat status;
	struct contents found = {0};
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &status) != 0)
		return found;
	found.bytes = malloc((size_t)status.st_size);
	for (ssize_t got; (got = read(fd, found.bytes + found.size, (size_t)status.st_size - found.size)) > 0;)
		found.size += (size_t)got;
	close(fd);
	return found;
}

static void reply(int device, uint64_t unique, int error, const void *bytes, size_t size)
{
	struct fuse_out_header head = {.len = (uint32_t)(sizeof(head) + size), .error = -error, .unique = unique};
	struct iovec parts[] = {{.iov_base = &head, .iov_len = sizeof(head)}, {.iov_base = (void *)bytes, .iov_len = size}};
	if (writev(device, parts, size == 0 ? 1 : 2) < 0 && errno != ENOENT)
		perror("reply");
}

/* The attributes of the folder or of the file, which the kernel keeps for no time. */
static struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr attr = {.ino = node, .nlink = 1, .mode = S_IFDIR | 0755};
	if (node == FILE_NODE) {
		attr.mode = S_IFREG | 0755;
		attr.size = contents[opens > 0].size;
	}
	return attr;
}

static void lookup(int device, const struct fuse_in_header *in)
{
	struct fuse_entry_out entry = {.nodeid = FILE_NODE, .attr = attributes(FILE_NODE)};
	if (strcmp((const char *)(in + 1), "file") == 0)
		reply(device, in->unique, 0, &entry, sizeof(entry));
	else
		reply(device, in->unique, ENOENT, NULL, 0);
}

static void read_file(int device, const struct fuse_in_header *in)
{
	const struct fuse_read_in *asked = (const void *)(in + 1);
	const struct contents *from = &contents[asked->fh];
	size_t at = asked->offset < from->size ? asked->offset : from->size;
	size_t size = from->size - at < asked->size ? from->size - at : asked->size;
	reply(device, in->unique, 0, from->bytes + at, size);
}

static void answer(int device, const struct fuse_in_header *in)
{
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096};
	struct fuse_attr_out attr = {.attr = attributes(in->nodeid)};
	/* read each time, and never from the page cache */
	struct fuse_open_out opened = {.open_flags = FOPEN_DIRECT_IO};
	switch (in->opcode) {
	case FUSE_INIT:
		reply(device, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		lookup(device, in);
		break;
	case FUSE_GETATTR:
		reply(device, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		opened.fh = opens++ > 0;
		reply(device, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		read_file(device, in);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		reply(device, in->unique, 0, NULL, 0);
		break;
	default:
		reply(device, in->unique, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static union {
		struct fuse_in_header in;
		char bytes[ROOM];
	} request;
	char options[128];
	if (argc != 4)
		return 2;
	for (int i = 0; i < 2; i++)
		contents[i] = read_contents(argv[2 + i]);
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	mkdir(argv[1], 0755);
	if (device < 0 || mount("serve-file", argv[1], "fuse", 0, options) != 0) {
		perror("serve-file");
		return 1;
	}
	if (fork() != 0)
		return 0;
	for (;;) {
		ssize_t size = read(device, &request, sizeof(request));
		if (size >= (ssize_t)sizeof(request.in))
			answer(device, &request.in);
		else if (errno != EINTR && errno != EAGAIN && errno != ENOENT)
			return 0;
	}
}
