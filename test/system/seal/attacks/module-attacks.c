/* Modules, ports, and a kernel for kexec by the 32-bit entry. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attack.h"

#define MODULE "/lib/dummy.ko"

static char *image;
static size_t image_size;
static volatile bool is_over;

/* The end of the mark that says that there is a signature: without it the module has none. */
static void *change_image(void *unused)
{
	volatile char *end = image + image_size - 1;
	while (!is_over)
		*end ^= 1;
	return unused;
}

/* Whether the kernel has taken the module for an unsigned one: letter E of its taint. */
static bool is_loaded_unsigned(void)
{
	char taint[16] = {0};
	int file = open("/sys/module/dummy/taint", O_RDONLY);
	ssize_t size = read(file, taint, sizeof taint - 1);
	close(file);
	return size > 0 && strchr(taint, 'E') != NULL;
}

static void module_changed_by_thread(void)
{
	pthread_t thread;
	bool found = false;
	int error = EPERM;
	image = read_module(MODULE, &image_size, true);
	pthread_create(&thread, NULL, change_image, NULL);
	for (int round = 0; round < 40 && !found; round++) {
		if (syscall(SYS_init_module, image, image_size, "")) {
			error = errno;
			continue;
		}
		found = is_loaded_unsigned();
		syscall(SYS_delete_module, "dummy", 0);
	}
	is_over = true;
	pthread_join(thread, NULL);
	errno = error;
	if (!found)
		held("init_module of a changing image");
	broken("loaded a changed module");
}

static void write_ports(void)
{
	mknod("/tmp/port", S_IFCHR | 0600, makedev(1, 4));
	int ports = open("/tmp/port", O_RDWR);
	if (ports < 0 && errno == ENXIO)
		skipped("the kernel has no /dev/port");
	/* 0x80 is the port of the power-on self test: nothing reads it */
	if (ports < 0 || pwrite(ports, "", 1, 0x80) != 1)
		held("write of /dev/port");
	broken("wrote a port of a device");
}

/* kexec_load of i386 is 283; its pointers are below 4 GiB. */
static void compat_kexec(void)
{
	struct {
		uint32_t buffer, buffer_size, memory, memory_size;
	} *segment = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (segment == MAP_FAILED)
		skipped("no memory below 4 GiB");
	*segment = (typeof(*segment)){(uint32_t)(uintptr_t)segment + 4096, 4096, 0x2000000, 4096};
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(283L), "b"(0x2000000L), "c"(1L), "d"(segment), "S"(62L << 16 /* KEXEC_ARCH_X86_64 */)
			 : "memory", "r8", "r9", "r10", "r11");
	if (result < 0) {
		errno = -result;
		held("kexec_load of the 32-bit entry");
	}
	syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL);
	broken("kexec_load of the 32-bit entry took a kernel");
}

const struct attack module_attacks[] = {
    {"module-changed-by-thread", module_changed_by_thread},
    {"dev-port", write_ports},
    {"compat-kexec", compat_kexec},
    {0},
};
