/* What changes the running kernel from outside of BPF. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"

/* Files that the guest has for attacks. */
#define KERNEL "/lib/vmlinuz"
#define MODULE "/lib/dummy.ko"
#define MSR_MODULE "/lib/msr.ko"

static void load_kernel(void)
{
	struct {
		void *buffer;
		size_t buffer_size;
		unsigned long memory;
		size_t memory_size;
	} segment = {mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096, 0x2000000, 4096};
	if (syscall(SYS_kexec_load, 0x2000000UL, 1UL, &segment, 0UL))
		held("kexec_load");
	syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL);
	broken("kexec_load took a kernel");
}

/* Of a kernel that is signed by a key that this one trusts, locked_down is not asked. */
static void load_kernel_file(void)
{
	int kernel = open(KERNEL, O_RDONLY);
	if (kernel < 0)
		skipped("needs " KERNEL);
	if (syscall(SYS_kexec_file_load, kernel, -1, 1UL, "", 4UL /* KEXEC_FILE_NO_INITRAMFS */))
		held("kexec_file_load");
	syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, 1UL /* KEXEC_FILE_UNLOAD */);
	broken("kexec_file_load took a kernel");
}

char *read_module(const char *path, size_t *size, bool is_signed)
{
	static const char marker[] = "~Module signature appended~\n";
	int file = open(path, O_RDONLY);
	struct stat status;
	if (file < 0 || fstat(file, &status))
		skipped("needs a module");
	char *bytes = malloc(status.st_size);
	*size = 0;
	for (ssize_t got; (got = read(file, bytes + *size, status.st_size - *size)) > 0;)
		*size += got;
	close(file);
	size_t end = *size - (sizeof marker - 1);
	if (!is_signed && *size > 64 && memcmp(bytes + end, marker, sizeof marker - 1) == 0) {
		/* struct module_signature: 12 bytes, the last 4 are the size of the signature, big-endian */
		const unsigned char *length = (unsigned char *)bytes + end - 4;
		*size = end - 12 - ((size_t)length[0] << 24 | length[1] << 16 | length[2] << 8 | length[3]);
	}
	return bytes;
}

static void load_unsigned_module(void)
{
	size_t size;
	char *bytes = read_module(MODULE, &size, false);
	if (syscall(SYS_init_module, bytes, size, ""))
		held("init_module");
	syscall(SYS_delete_module, "dummy", 0);
	broken("loaded an unsigned module from memory");
}

static void load_unsigned_module_file(void)
{
	size_t size;
	char *bytes = read_module(MODULE, &size, false);
	int file = open("/tmp/unsigned.ko", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (write(file, bytes, size) != (ssize_t)size)
		held("write of the module");
	close(file);
	file = open("/tmp/unsigned.ko", O_RDONLY);
	if (syscall(SYS_finit_module, file, "", 0))
		held("finit_module");
	syscall(SYS_delete_module, "dummy", 0);
	broken("loaded an unsigned module from a file");
}

static void write_memory(void)
{
	mknod("/tmp/mem", S_IFCHR | 0600, 1 << 8 | 1);
	int memory = open("/tmp/mem", O_RDWR);
	if (memory < 0)
		held("open of /dev/mem");
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0xa0000);
	if (page == MAP_FAILED)
		held("mmap of /dev/mem");
	broken("mapped physical memory for writing");
}

/* Has a worker of the kernel open the file. */
static int open_by_worker(const char *path)
{
	struct io_uring_params params = {0};
	int ring = syscall(SYS_io_uring_setup, 2, &params);
	if (ring < 0)
		return -1;
	char *submission = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(uint32_t), PROT_READ | PROT_WRITE,
	                        MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	char *completion = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
	                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	struct io_uring_sqe *entry = mmap(NULL, params.sq_entries * sizeof *entry, PROT_READ | PROT_WRITE,
	                                  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	*entry = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
	                               .flags = IOSQE_ASYNC,
	                               .fd = AT_FDCWD,
	                               .addr = (uintptr_t)path,
	                               .open_flags = O_RDONLY};
	((uint32_t *)(submission + params.sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(submission + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -1;
	int fd = ((struct io_uring_cqe *)(completion + params.cq_off.cqes))->res;
	errno = fd < 0 ? -fd : 0;
	return fd;
}

/* Memory of the kernel as an ELF file, by each way to it. */
static void read_core(void)
{
	static const char *const paths[] = {"/proc/kcore", "/tmp/proc/kcore", "/tmp/core", "/tmp/core-link",
	                                    "/proc/self/root/proc/kcore", "/tmp/by-path"};
	const char *found = NULL;
	char magic[4], path[64];
	int error = 0;
	mkdir("/tmp/proc", 0700);
	close(open("/tmp/core", O_CREAT | O_RDWR, 0600));
	if (mount("proc", "/tmp/proc", "proc", 0, NULL) || mount("/proc/kcore", "/tmp/core", NULL, MS_BIND, NULL) ||
	    (symlink("/proc/kcore", "/tmp/core-link") && errno != EEXIST))
		held("mount of procfs, and of its file");
	unlink("/tmp/by-path");
	snprintf(path, sizeof path, "/proc/self/fd/%d", open("/proc/kcore", O_PATH));
	if (symlink(path, "/tmp/by-path"))
		held("symlink");
	for (unsigned at = 0; at < 2 * sizeof paths / sizeof *paths; at++) {
		const char *name = paths[at / 2];
		int file = at % 2 ? open_by_worker(name) : open(name, O_RDONLY);
		if (file >= 0 && pread(file, magic, 4, 0) == 4 && memcmp(magic, "\177ELF", 4) == 0)
			found = name;
		if (file < 0)
			error = errno;
	}
	umount2("/tmp/core", MNT_DETACH);
	umount2("/tmp/proc", MNT_DETACH);
	if (found)
		broken("read memory of the kernel by %s", found);
	errno = error;
	held("open of /proc/kcore");
}

static void access_ports(void)
{
	if (syscall(SYS_iopl, 3) && syscall(SYS_ioperm, 0x80, 1, 1))
		held("iopl and ioperm");
	broken("has the ports of devices");
}

static void write_msr(void)
{
	mknod("/tmp/msr", S_IFCHR | 0600, 202 << 8);
	int registers = open("/tmp/msr", O_RDWR);
	if (registers < 0 && errno == ENXIO) {
		size_t size;
		char *bytes = read_module(MSR_MODULE, &size, true);
		if (syscall(SYS_init_module, bytes, size, ""))
			held("init_module of msr");
		registers = open("/tmp/msr", O_RDWR);
	}
	if (registers < 0)
		held("open of /dev/cpu/0/msr");
	/* IA32_SYSENTER_CS, with its own value */
	unsigned long value;
	if (pread(registers, &value, 8, 0x174) != 8)
		held("read of an MSR");
	if (pwrite(registers, &value, 8, 0x174) != 8)
		held("write of an MSR");
	broken("wrote an MSR");
}

static void write_debugfs(void)
{
	mkdir("/tmp/debug", 0700);
	if (mount("debugfs", "/tmp/debug", "debugfs", 0, NULL) && errno != EBUSY)
		held("mount of debugfs");
	int file = open("/tmp/debug/fault_around_bytes", O_RDWR);
	int error = errno;
	umount2("/tmp/debug", MNT_DETACH);
	errno = error;
	if (file < 0)
		held("open in debugfs");
	char value[32];
	ssize_t size = read(file, value, sizeof value);
	if (size <= 0 || write(file, value, size) != size)
		held("write in debugfs");
	broken("wrote a file of debugfs");
}

static void write_snapshot(void)
{
	mknod("/tmp/snapshot", S_IFCHR | 0600, 10 << 8 | 231);
	int snapshot = open("/tmp/snapshot", O_WRONLY);
	if (snapshot < 0 && (errno == ENODEV || errno == ENXIO))
		skipped("the kernel cannot hibernate");
	if (snapshot < 0)
		held("open of /dev/snapshot");
	broken("opened the image of hibernation");
}

/* The kernel says nothing where it may not hibernate: it looks for no image then, and keeps the device as it was. */
static void resume_from_device(void)
{
	/* no kernel has this RAM disk, so that there is nothing to resume from */
	static const char device[] = "1:15";
	char found[32] = "";
	int file = open("/sys/power/resume", O_RDWR);
	if (file < 0)
		skipped("the kernel cannot hibernate");
	if (write(file, device, strlen(device)) < 0)
		held("write of /sys/power/resume");
	if (pread(file, found, sizeof found - 1, 0) <= 0 || strncmp(found, device, strlen(device)) != 0) {
		errno = EPERM;
		held("resuming from another device");
	}
	broken("had the kernel look for an image on another device");
}

static void write_pci(void)
{
	static const char folder[] = "/sys/bus/pci/devices";
	DIR *devices = opendir(folder);
	struct dirent *device;
	while (devices && (device = readdir(devices))) {
		char path[512];
		unsigned short command;
		if (device->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s/config", folder, device->d_name);
		int config = open(path, O_RDWR);
		if (config < 0 || pread(config, &command, 2, 4) != 2)
			held("read of PCI configuration");
		if (pwrite(config, &command, 2, 4) != 2)
			held("write of PCI configuration");
		broken("wrote the command register of a PCI device");
	}
	skipped("no PCI device");
}

/* Registers of qemu's device edu (docs/specs/edu.rst), which reads and writes memory by itself. */
#define EDU_ID 0x11e81234
#define EDU_BUFFER 0x40000ULL
enum { EDU_SOURCE = 0x80, EDU_TARGET = 0x88, EDU_COUNT = 0x90, EDU_COMMAND = 0x98 };
enum { EDU_START = 1, EDU_FROM_DEVICE = 2 };

/* The folder of the first device edu, or false. */
static bool find_edu(char *folder, size_t size)
{
	DIR *devices = opendir("/sys/bus/pci/devices");
	struct dirent *device;
	while (devices && (device = readdir(devices))) {
		char path[512];
		unsigned id = 0;
		snprintf(folder, size, "/sys/bus/pci/devices/%.200s", device->d_name);
		snprintf(path, sizeof path, "%s/config", folder);
		int config = open(path, O_RDONLY);
		if (config >= 0 && pread(config, &id, 4, 0) == 4 && id == EDU_ID)
			return true;
		close(config);
	}
	return false;
}

uint64_t physical_address(const void *page)
{
	uint64_t entry = 0;
	int map = open("/proc/self/pagemap", O_RDONLY);
	if (pread(map, &entry, 8, (uintptr_t)page / 4096 * 8) != 8 || !(entry >> 63))
		skipped("no physical addresses");
	close(map);
	return (entry & ((1ULL << 55) - 1)) * 4096;
}

static void transfer(volatile char *device, uint64_t from, uint64_t to, uint64_t direction)
{
	*(volatile uint64_t *)(device + EDU_SOURCE) = from;
	*(volatile uint64_t *)(device + EDU_TARGET) = to;
	*(volatile uint64_t *)(device + EDU_COUNT) = 4096;
	*(volatile uint64_t *)(device + EDU_COMMAND) = direction | EDU_START;
	for (int tries = 0; *(volatile uint64_t *)(device + EDU_COMMAND) & EDU_START; tries++) {
		if (tries == 1000)
			skipped("the device does not end");
		usleep(10000);
	}
}

/* Has the device copy one page of this process to another one. */
static void write_by_device(void)
{
	char folder[256], path[512];
	unsigned short command;
	if (!find_edu(folder, sizeof folder))
		skipped("needs the device edu of qemu");
	snprintf(path, sizeof path, "%s/enable", folder);
	int enable = open(path, O_WRONLY);
	if (enable < 0 || write(enable, "1", 1) != 1)
		held("enabling the device");
	snprintf(path, sizeof path, "%s/config", folder);
	int config = open(path, O_RDWR);
	if (config < 0 || pread(config, &command, 2, 4) != 2)
		held("read of PCI configuration");
	command |= 4; /* bus master */
	bool masters = pwrite(config, &command, 2, 4) == 2;
	snprintf(path, sizeof path, "%s/resource0", folder);
	int registers = open(path, O_RDWR);
	if (registers < 0)
		held("open of the registers");
	volatile char *device = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, registers, 0);
	if (device == MAP_FAILED)
		held("mmap of the registers");
	if (!masters)
		held("write of PCI configuration");
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	memset(pages, 'x', 4096);
	memset(pages + 4096, 'y', 4096);
	transfer(device, physical_address(pages), EDU_BUFFER, 0);
	transfer(device, EDU_BUFFER, physical_address(pages + 4096), EDU_FROM_DEVICE);
	if (((volatile char *)pages)[8191] != 'x')
		skipped("the device wrote nothing");
	broken("a device wrote memory");
}

static void move_serial_port(void)
{
	struct serial_struct port;
	int line = open("/dev/ttyS3", O_RDWR | O_NONBLOCK);
	if (line < 0 || ioctl(line, TIOCGSERIAL, &port))
		skipped("no serial port");
	struct serial_struct moved = port;
	moved.port ^= 0x1000;
	if (ioctl(line, TIOCSSERIAL, &moved))
		held("TIOCSSERIAL");
	ioctl(line, TIOCSSERIAL, &port);
	broken("moved a serial port to another address");
}

const struct attack kernel_attacks[] = {
    {"kexec-load", load_kernel},
    {"kexec-file-load", load_kernel_file},
    {"unsigned-module", load_unsigned_module},
    {"unsigned-module-file", load_unsigned_module_file},
    {"dev-mem", write_memory},
	{"kcore", read_core},
    {"iopl", access_ports},
    {"msr", write_msr},
    {"debugfs", write_debugfs},
    {"hibernation", write_snapshot},
    {"resume-device", resume_from_device},
    {"pci-config", write_pci},
    {"dma-by-registers", write_by_device},
    {"serial-port", move_serial_port},
    {0},
};
