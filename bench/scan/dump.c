/* Reads the symbols of the kernel, and dumps the translated instructions of all programs with what belongs to them, and
 * the names of the functions that they call: the least that says what programs can do. Prints a line for each call. */
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct symbol {
	unsigned long address;
	char name[56];
};

static struct symbol *symbols;
static size_t count;
static unsigned long base;

static int compare(const void *one, const void *other)
{
	const struct symbol *a = one, *b = other;

	return a->address < b->address ? -1 : a->address > b->address;
}

static void read_symbols(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[768];
	size_t room = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *end;
		struct symbol *symbol;

		if (count == room)
			symbols = realloc(symbols, (room = room == 0 ? 1 << 16 : 2 * room) * sizeof(*symbols));
		symbol = &symbols[count++];
		symbol->address = strtoul(line, &end, 16);
		strncpy(symbol->name, end + 3, sizeof(symbol->name) - 1);
		symbol->name[strcspn(symbol->name, "\t\n")] = 0;
		if (strcmp(symbol->name, "__bpf_call_base") == 0)
			base = symbol->address;
	}
	qsort(symbols, count, sizeof(*symbols), compare);
}

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static long info_of(int fd, struct bpf_prog_info *info)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = fd;
	attr.info.info_len = sizeof(*info);
	attr.info.info = (uintptr_t)info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

static void dump(int fd)
{
	static char insns[1 << 20], functions[1 << 16], lines[1 << 20];
	static __u32 maps[64];
	struct bpf_prog_info sizes, info;

	memset(&sizes, 0, sizeof(sizes));
	if (info_of(fd, &sizes) < 0)
		return;
	memset(&info, 0, sizeof(info));
	info.xlated_prog_insns = (uintptr_t)insns;
	info.xlated_prog_len = sizes.xlated_prog_len;
	info.func_info = (uintptr_t)functions;
	info.nr_func_info = sizes.nr_func_info;
	info.func_info_rec_size = sizes.func_info_rec_size;
	info.line_info = (uintptr_t)lines;
	info.nr_line_info = sizes.nr_line_info;
	info.line_info_rec_size = sizes.line_info_rec_size;
	info.map_ids = (uintptr_t)maps;
	info.nr_map_ids = sizes.nr_map_ids;
	if (sizes.xlated_prog_len > sizeof(insns) || sizes.nr_map_ids > 64 || info_of(fd, &info) < 0)
		return;
	for (__u32 at = 0; at < info.xlated_prog_len; at += 8) {
		struct bpf_insn *insn = (struct bpf_insn *)(insns + at);
		struct symbol key = {base + insn->imm}, *found;

		if (insn->code != 0x85 || insn->src_reg == 1)
			continue;
		found = bsearch(&key, symbols, count, sizeof(key), compare);
		printf("%u %u %s\n", info.id, at / 8, found == NULL ? "unknown" : found->name);
	}
}

int main(void)
{
	union bpf_attr attr;

	read_symbols();
	memset(&attr, 0, sizeof(attr));
	while (bpf(BPF_PROG_GET_NEXT_ID, &attr) == 0) {
		__u32 id = attr.next_id;
		int fd;

		memset(&attr, 0, sizeof(attr));
		attr.prog_id = id;
		fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		if (fd >= 0) {
			dump(fd);
			close(fd);
		}
		attr.start_id = id;
	}
	return 0;
}
