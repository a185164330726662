/*
 * Makes the loads of a file (differential/load-file.ts), each from the beginning, and prints a line for each: its
 * number and the errno of BPF_PROG_LOAD, or `setup` and the errno of what came before it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_MAPS 64

static const unsigned char *next;

static uint32_t word(void)
{
	uint32_t value;

	memcpy(&value, next, sizeof(value));
	next += sizeof(value);
	return value;
}

struct blob {
	uint32_t size;
	const unsigned char *bytes;
};

/* A size, the bytes, and zeros up to a multiple of four. */
static struct blob blob(void)
{
	struct blob found = {.size = word()};

	found.bytes = next;
	next += (found.size + 3) & ~3u;
	return found;
}

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t pointer(const void *to)
{
	return (uint64_t)(uintptr_t)to;
}

static int load_btf(struct blob btf)
{
	union bpf_attr attr = {};

	attr.btf = pointer(btf.bytes);
	attr.btf_size = btf.size;
	return bpf(BPF_BTF_LOAD, &attr);
}

/* Creates the next map of the file, writes its first element, and freezes it. `maps` are those before it. */
static int create_map(int btf, const int *maps)
{
	union bpf_attr attr = {};
	uint32_t inner, freeze, key = 0;
	struct blob contents;
	int fd;

	attr.map_type = word();
	attr.key_size = word();
	attr.value_size = word();
	attr.max_entries = word();
	attr.map_flags = word();
	attr.map_extra = word();
	attr.btf_key_type_id = word();
	attr.btf_value_type_id = word();
	inner = word();
	freeze = word();
	contents = blob();
	if (attr.btf_key_type_id || attr.btf_value_type_id)
		attr.btf_fd = btf;
	if (inner != UINT32_MAX)
		attr.inner_map_fd = maps[inner];
	fd = bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return fd;
	if (contents.size) {
		union bpf_attr update = {};

		update.map_fd = fd;
		update.key = pointer(&key);
		update.value = pointer(contents.bytes);
		if (bpf(BPF_MAP_UPDATE_ELEM, &update) < 0)
			return -1;
	}
	if (freeze) {
		union bpf_attr frozen = {};

		frozen.map_fd = fd;
		if (bpf(BPF_MAP_FREEZE, &frozen) < 0)
			return -1;
	}
	return fd;
}

static void replay(uint32_t number)
{
	static unsigned char insns[1 << 20];
	int maps[MAX_MAPS], btf = -1, setup = 0, fd;
	union bpf_attr attr = {};
	struct blob found;
	uint32_t count, relocations;
	struct bpf_core_relo relocation = {};

	found = blob();
	if (found.size) {
		btf = load_btf(found);
		setup = btf < 0 ? errno : 0;
	}
	count = word();
	for (uint32_t map = 0; map < count; map++) {
		maps[map] = create_map(btf, maps);
		if (maps[map] < 0 && !setup)
			setup = errno;
	}
	attr.prog_type = word();
	attr.expected_attach_type = word();
	attr.attach_btf_id = word();
	attr.prog_flags = word();
	relocations = word();
	found = blob();
	attr.license = pointer(found.bytes);
	found = blob();
	memcpy(attr.prog_name, found.bytes, found.size < 15 ? found.size : 15);
	found = blob();
	memcpy(insns, found.bytes, found.size);
	attr.insns = pointer(insns);
	attr.insn_cnt = found.size / 8;
	found = blob();
	if (btf >= 0)
		attr.prog_btf_fd = btf;
	if (btf >= 0 && found.size) {
		attr.func_info = pointer(found.bytes);
		attr.func_info_rec_size = 8;
		attr.func_info_cnt = found.size / 8;
	}
	if (relocations) {
		attr.core_relos = pointer(&relocation);
		attr.core_relo_rec_size = sizeof(relocation);
		attr.core_relo_cnt = 1;
	}
	for (uint32_t reference = word(); reference > 0; reference--) {
		uint32_t slot = word(), map = word();

		memcpy(insns + 8 * slot + 4, &maps[map], sizeof(maps[map]));
	}
	if (setup) {
		printf("%u setup %d\n", number, setup);
	} else {
		fd = bpf(BPF_PROG_LOAD, &attr);
		printf("%u load %d\n", number, fd < 0 ? errno : 0);
		if (fd >= 0)
			close(fd);
	}
	for (uint32_t map = 0; map < count; map++)
		if (maps[map] >= 0)
			close(maps[map]);
	if (btf >= 0)
		close(btf);
	/* Loads without a pause can stop a kernel for good. */
	usleep(2000);
}

int main(int argc, char **argv)
{
	struct stat stat;
	unsigned char *bytes;
	int fd = open(argv[1], O_RDONLY);

	if (argc != 2 || fd < 0 || fstat(fd, &stat) < 0)
		return 2;
	bytes = malloc(stat.st_size);
	for (off_t at = 0; at < stat.st_size;) {
		ssize_t got = read(fd, bytes + at, stat.st_size - at);

		if (got <= 0)
			return 2;
		at += got;
	}
	close(fd);
	next = bytes;
	for (uint32_t count = word(), number = 0; number < count; number++)
		replay(number);
	return 0;
}
