/* A library for LD_PRELOAD: records each load of a program by this process, and what the kernel then shows of it, in a
 * file of the folder RECORDED_LOADS. A file has parts: four letters, the length in four bytes, and the bytes. The
 * process ends with its first link: by then it has loaded its programs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_MAPS = 64, ATTR_SIZE = 152 };

static FILE *record;

static void part(const char *letters, const void *bytes, uint32_t length)
{
	fwrite(letters, 1, 4, record);
	fwrite(&length, sizeof(length), 1, record);
	fwrite(bytes, 1, length, record);
}

static long raw(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static long bpf(int command, union bpf_attr *attr)
{
	return raw(SYS_bpf, command, (long)attr, sizeof(*attr), 0, 0, 0);
}

static long info_of(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = fd, .info_len = size, .info = (uintptr_t)info } };

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static void record_btf(int fd)
{
	struct bpf_btf_info info = { 0 };
	uint32_t size;
	void *bytes;

	if (info_of(fd, &info, sizeof(info)) < 0)
		return;
	size = info.btf_size;
	bytes = calloc(1, size);
	info = (struct bpf_btf_info){ .btf = (uintptr_t)bytes, .btf_size = size };
	if (info_of(fd, &info, sizeof(info)) == 0)
		part("PBTF", bytes, size);
	free(bytes);
}

/* The map's report, whether it is frozen, and the value of an array of one element. */
static void record_map(int fd)
{
	struct bpf_map_info info = { 0 };
	char path[64], text[2048];
	uint32_t frozen = 0, key = 0;
	const char *found;
	ssize_t length;
	void *value;
	int file;

	if (info_of(fd, &info, sizeof(info)) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	length = read(file, text, sizeof(text) - 1);
	text[length < 0 ? 0 : length] = 0;
	close(file);
	found = strstr(text, "frozen:");
	if (found != NULL)
		frozen = atoi(found + strlen("frozen:"));
	part("MAP ", &info, sizeof(info));
	part("FRZN", &frozen, sizeof(frozen));
	if (info.type != BPF_MAP_TYPE_ARRAY || info.max_entries != 1)
		return;
	value = calloc(1, info.value_size + 8);
	union bpf_attr attr = { .map_fd = fd, .key = (uintptr_t)&key, .value = (uintptr_t)value };
	if (bpf(BPF_MAP_LOOKUP_ELEM, &attr) == 0)
		part("DATA", value, info.value_size);
	free(value);
}

/* The id of each map that the instructions refer to by an fd. */
static void record_fds(const struct bpf_insn *insns, uint32_t count)
{
	for (uint32_t slot = 0; slot < count; slot++) {
		struct bpf_map_info info = { 0 };

		if (insns[slot].code != 0x18)
			continue;
		if (insns[slot].src_reg == BPF_PSEUDO_MAP_FD || insns[slot].src_reg == BPF_PSEUDO_MAP_VALUE) {
			int32_t pair[2] = { insns[slot].imm, 0 };

			if (info_of(pair[0], &info, sizeof(info)) == 0)
				pair[1] = info.id;
			part("FDID", pair, sizeof(pair));
		}
		slot++;
	}
}

static void record_translated(int fd)
{
	struct bpf_prog_info sizes = { 0 }, info = { 0 };
	uint32_t ids[MOST_MAPS], maps;
	void *insns, *functions;

	info_of(fd, &sizes, sizeof(sizes));
	maps = sizes.nr_map_ids < MOST_MAPS ? sizes.nr_map_ids : MOST_MAPS;
	insns = calloc(1, sizes.xlated_prog_len);
	functions = calloc(sizes.nr_func_info + 1, sizeof(struct bpf_func_info));
	info.xlated_prog_len = sizes.xlated_prog_len;
	info.xlated_prog_insns = (uintptr_t)insns;
	info.nr_map_ids = maps;
	info.map_ids = (uintptr_t)ids;
	if (sizes.nr_func_info > 0) {
		info.nr_func_info = sizes.nr_func_info;
		info.func_info_rec_size = sizeof(struct bpf_func_info);
		info.func_info = (uintptr_t)functions;
	}
	if (info_of(fd, &info, sizeof(info)) < 0)
		return;
	part("XLAT", insns, info.xlated_prog_len);
	part("XFUN", functions, info.nr_func_info * sizeof(struct bpf_func_info));
	for (uint32_t index = 0; index < maps; index++) {
		union bpf_attr attr = { .map_id = ids[index] };
		int map = bpf(BPF_MAP_GET_FD_BY_ID, &attr);

		if (map < 0)
			continue;
		record_map(map);
		close(map);
	}
	free(insns);
	free(functions);
}

static void record_load(const void *given, size_t size, int fd)
{
	static int number;
	union bpf_attr attr = { 0 };
	char path[512];

	snprintf(path, sizeof(path), "%s/%s-%d-%d", getenv("RECORDED_LOADS"), program_invocation_short_name, getpid(),
		 number++);
	record = fopen(path, "we");
	if (record == NULL)
		return;
	memcpy(&attr, given, size < sizeof(attr) ? size : sizeof(attr));
	part("ATTR", &attr, sizeof(attr) < ATTR_SIZE ? sizeof(attr) : ATTR_SIZE);
	part("INSN", (void *)(uintptr_t)attr.insns, attr.insn_cnt * sizeof(struct bpf_insn));
	if (attr.func_info_cnt > 0)
		part("FUNC", (void *)(uintptr_t)attr.func_info, attr.func_info_cnt * attr.func_info_rec_size);
	if (attr.prog_btf_fd > 0)
		record_btf(attr.prog_btf_fd);
	record_fds((void *)(uintptr_t)attr.insns, attr.insn_cnt);
	record_translated(fd);
	fclose(record);
}

long syscall(long number, ...)
{
	va_list list;
	long a[6], result;

	va_start(list, number);
	for (int index = 0; index < 6; index++)
		a[index] = va_arg(list, long);
	va_end(list);
	result = raw(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && result >= 0)
		record_load((void *)a[1], a[2], result);
	if (number == SYS_bpf && result >= 0 && (a[0] == BPF_LINK_CREATE || a[0] == BPF_RAW_TRACEPOINT_OPEN))
		_exit(0);
	if (result < 0 && result > -4096) {
		errno = -result;
		return -1;
	}
	return result;
}
