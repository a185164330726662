/*
 * start-files: starts and maps files on /mnt (ext4 on /dev/dm-0) under a guard that compares executables, prints how
 * each of it ended, and powers the machine off: nothing else can start by then. `start-files dm` makes /dev/dm-0, which
 * is all of /dev/vda.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "denials.h"
#include "device-mapper.h"

#define PAGE 4096

static void enable(const char *path)
{
	struct fsverity_enable_arg arg = {.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = PAGE};
	int fd = open(path, O_RDONLY);
	if (fd < 0 || ioctl(fd, FS_IOC_ENABLE_VERITY, &arg) != 0)
		printf("enable %s: %s\n", path, strerrorname_np(errno));
	close(fd);
}

/* Prints the kernel's digest of a file. */
static void measure(const char *path)
{
	struct {
		struct fsverity_digest head;
		unsigned char bytes[64];
	} digest = {.head.digest_size = 64};
	int fd = open(path, O_RDONLY);
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &digest) != 0)
		printf("measured %s %s\n", path, strerrorname_np(errno));
	else {
		printf("measured %s ", path);
		for (int i = 0; i < digest.head.digest_size; i++)
			printf("%02x", digest.head.digest[i]);
		printf("\n");
	}
	close(fd);
}

/* The errno with which a new process fails to become the file of an fd, or of a path; 0 if it ran. */
static int start(int fd, const char *path)
{
	char *argv[] = {"started", NULL};
	int report[2], error = 0;
	if (pipe2(report, O_CLOEXEC) != 0)
		return errno;
	pid_t child = fork();
	if (child == 0) {
		if (path != NULL)
			execv(path, argv);
		else
			fexecve(fd, argv, environ);
		error = errno;
		if (write(report[1], &error, sizeof(error)) < 0)
			_exit(2);
		_exit(1);
	}
	close(report[1]);
	if (read(report[0], &error, sizeof(error)) < 0)
		error = errno;
	close(report[0]);
	waitpid(child, NULL, 0);
	return error;
}

static void started(const char *name, const char *path)
{
	uint64_t before[GUARD_REASONS];
	read_denied(before);
	print_result(name, start(-1, path), before);
}

static void mapped(const char *name, const char *path, int protection)
{
	uint64_t before[GUARD_REASONS];
	int fd = path == NULL ? -1 : open(path, O_RDONLY);
	read_denied(before);
	void *at = mmap(NULL, PAGE, protection, MAP_PRIVATE | (path == NULL ? MAP_ANONYMOUS : 0), fd, 0);
	print_result(name, at == MAP_FAILED ? errno : 0, before);
	close(fd);
}

static void copy(const char *from, int to)
{
	char buffer[1 << 16];
	int fd = open(from, O_RDONLY);
	for (ssize_t got; (got = read(fd, buffer, sizeof(buffer))) > 0;)
		if (write(to, buffer, (size_t)got) != got)
			break;
	close(fd);
}

static void copied(const char *name, const char *from, const char *to)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	copy(from, fd);
	close(fd);
	started(name, to);
}

static void in_memory(const char *name, const char *from)
{
	uint64_t before[GUARD_REASONS];
	int fd = memfd_create("listed", MFD_CLOEXEC);
	copy(from, fd);
	read_denied(before);
	print_result(name, start(fd, NULL), before);
	close(fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("%s: %s\n", path, strerrorname_np(errno));
	close(fd);
}

/* Starts /mnt/listed while binfmt_misc has another file run it, by the mark in its ELF header. */
static void interpreted(const char *name, const char *interpreter, const char *flags)
{
	char rule[128];
	snprintf(rule, sizeof(rule), ":attack:M:9:LISTED::%s:%s", interpreter, flags);
	write_file("/proc/sys/fs/binfmt_misc/register", rule);
	started(name, "/mnt/listed");
	write_file("/proc/sys/fs/binfmt_misc/attack", "-1");
}

static void drop_caches(void)
{
	int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (write(caches, "3", 1) != 1)
		printf("drop_caches: %s\n", strerrorname_np(errno));
	close(caches);
}

/* Writes to the device below a file whose ELF header has this mark in its unused bytes. */
static void change_on_device(const char *mark)
{
	char block[PAGE];
	int fd = open("/dev/vda", O_RDWR), changed = 0;
	for (off_t at = 0; pread(fd, block, PAGE, at) == PAGE; at += PAGE)
		if (memcmp(block, "\177ELF", 4) == 0 && memcmp(block + 9, mark, strlen(mark)) == 0) {
			block[PAGE - 1] ^= 1;
			changed += pwrite(fd, block, PAGE, at) == PAGE;
		}
	fsync(fd);
	close(fd);
	printf("changed blocks: %d\n", changed);
	drop_caches();
}

/* Where the first block of the program with this mark is on the device, in bytes; -1 if it is nowhere. */
static off_t block_of(const char *mark)
{
	char block[PAGE];
	int fd = open("/dev/vda", O_RDONLY);
	off_t at = 0;
	while (pread(fd, block, PAGE, at) == PAGE &&
	       (memcmp(block, "\177ELF", 4) != 0 || memcmp(block + 9, mark, strlen(mark)) != 0))
		at += PAGE;
	bool found = pread(fd, block, PAGE, at) == PAGE;
	close(fd);
	return found ? at : -1;
}

static uint64_t sectors_of_device(void)
{
	int fd = open("/dev/vda", O_RDONLY);
	off_t size = lseek(fd, 0, SEEK_END);
	close(fd);
	return (uint64_t)size / SECTOR;
}

/* Gives the device below the file system a table in which a block of one file is that of another one. */
static void swap_block(const char *mark, const char *other)
{
	off_t from = block_of(mark), to = block_of(other);
	uint64_t first = (uint64_t)from / SECTOR, next = first + PAGE / SECTOR;
	struct dm_range ranges[] = {
	    {0, first, 0}, {first, PAGE / SECTOR, (uint64_t)to / SECTOR}, {next, sectors_of_device() - next, next}};
	if (from <= 0 || to < 0)
		printf("blocks: not found\n");
	dm_swap("/dev/vda", ranges, 3);
	drop_caches();
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "dm") == 0) {
		dm_create("/dev/vda", sectors_of_device());
		return 0;
	}
	const char *files[] = {"listed", "other", "changed", "swapped", "unlisted", "script"};
	for (unsigned i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char path[64];
		snprintf(path, sizeof(path), "/mnt/%s", files[i]);
		enable(path);
	}
	for (int i = 1; i < argc; i++) {
		enable(argv[i]);
		measure(argv[i]);
	}
	started("initramfs, before the root", "/bin/ok");
	started("unlisted, before the root", "/mnt/unlisted");
	copied("copy in memory, before the root", "/mnt/listed", "/tmp/copy");
	mapped("unlisted, mapped before the root", "/mnt/unlisted", PROT_READ | PROT_EXEC);
	started("listed", "/mnt/listed");
	started("initramfs, after the root", "/bin/ok");
	started("unlisted", "/mnt/unlisted");
	copied("copy without fs-verity", "/mnt/listed", "/mnt/copy");
	copied("copy in memory", "/mnt/listed", "/tmp/copy");
	in_memory("memfd", "/mnt/listed");
	started("script that is not listed", "/mnt/script");
	interpreted("interpreter of binfmt_misc", "/mnt/unlisted", "");
	interpreted("interpreter that binfmt_misc opened before", "/mnt/unlisted", "F");
	interpreted("interpreter of binfmt_misc, listed", "/mnt/other", "");
	started("file of FUSE", "/fuse/file");
	mapped("file of FUSE, mapped", "/fuse/file", PROT_READ | PROT_EXEC);
	mkdir("/overlay", 0755);
	if (mount("overlay", "/overlay", "overlay", 0, "lowerdir=/mnt:/root") != 0)
		printf("overlay: %s\n", strerrorname_np(errno));
	started("listed, on overlayfs", "/overlay/listed");
	mapped("listed, mapped", "/mnt/listed", PROT_READ | PROT_EXEC);
	mapped("unlisted, mapped", "/mnt/unlisted", PROT_READ | PROT_EXEC);
	mapped("unlisted, mapped for reading", "/mnt/unlisted", PROT_READ);
	mapped("memory, mapped", NULL, PROT_READ | PROT_EXEC);
	started("listed, again", "/mnt/other");
	change_on_device("CHANGED");
	started("changed on its device", "/mnt/changed");
	swap_block("SWAPPED", "NOT");
	started("swapped on its device", "/mnt/swapped");
	printf("END 0\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 1;
}
