// writes: after a load, writes to the map that the program reads, in every way that the kernel knows. Prints for each
// kind of map and each way `KIND, WAY: kept` or `changed`, and what else the kernel refused. DIGEST is the SHA-256 of
// the program, which PRINT prints as hex; BPFFS is a BPF file system, and ITERATE a command that runs a writing
// iterator over the map that it finds pinned there. writes format ADDRESS: a program prints a number by a format in a
// frozen map; the format is then made one that reads a string at that address of the kernel's. Prints what the program
// printed.
#include "bpf.h"
#include <linux/io_uring.h>
#include <sys/uio.h>

#define SIZE 4096
#define RDONLY_PROG BPF_F_RDONLY_PROG
#define LOAD_VALUE(fd) {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = (fd)}, {}

static uint32_t zero;

static long map_command(int cmd, int map, void *value)
{
	union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)&zero, .value = (uintptr_t)value};

	return bpf(cmd, &attr, sizeof(attr));
}

static long batch(int cmd, int map, void *value)
{
	uint32_t out;
	union bpf_attr attr = {.batch = {.out_batch = (uintptr_t)&out, .keys = (uintptr_t)&zero, .values = (uintptr_t)value,
					 .count = 1, .map_fd = map}};

	zero = 0;
	return bpf(cmd, &attr, sizeof(attr));
}

static uint32_t map_id(int map)
{
	struct bpf_map_info info = {};
	union bpf_attr attr = {.info = {.bpf_fd = map, .info_len = sizeof(info), .info = (uintptr_t)&info}};

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ? 0 : info.id;
}

// What a write puts there, and what was there before: other values, of which the policy was not told.
static char value[SIZE], other[SIZE];

static int ring_fd;
static struct io_uring_params params;

// A ring with the map's page as a fixed buffer: a page that the kernel writes to by itself, whoever has it mapped.
static char *fix(int map)
{
	char *page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	struct iovec vector = {page, SIZE};

	if (page == MAP_FAILED)
		return NULL;
	memset(&params, 0, sizeof(params));
	ring_fd = syscall(SYS_io_uring_setup, 4, &params);
	if (ring_fd < 0 || syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_BUFFERS, &vector, 1)) {
		munmap(page, SIZE);
		return NULL;
	}
	munmap(page, SIZE);
	return page;
}

// Reads a pipe into the fixed buffer, which is not mapped any more.
static void read_fixed(char *page)
{
	char *sq = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
			IORING_OFF_SQ_RING);
	struct io_uring_sqe *sqes = mmap(NULL, params.sq_entries * sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
					 IORING_OFF_SQES);
	int ends[2];

	if (pipe(ends) || write(ends[1], other, 8) != 8)
		exit(3);
	*sqes = (struct io_uring_sqe){.opcode = IORING_OP_READ_FIXED, .fd = ends[0], .addr = (uintptr_t)page, .len = 8};
	((uint32_t *)(sq + params.sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(sq + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring_fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
}

static void write_mapped(int map)
{
	char *page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	if (page != MAP_FAILED)
		memcpy(page, other, 8);
}

// A mapping that may be read, which is made one that may be written, or is written to by force.
static void write_readable(int map, int how)
{
	char *page = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, map, 0);
	struct iovec here = {other, 8}, there = {page, 8};
	int memory;

	if (page == MAP_FAILED)
		return;
	if (how == 0 && mprotect(page, SIZE, PROT_READ | PROT_WRITE) == 0)
		memcpy(page, other, 8);
	if (how == 1 && process_vm_writev(getpid(), &here, 1, &there, 1, 0) < 0)
		return;
	if (how == 2 && (memory = open("/proc/self/mem", O_RDWR)) >= 0 && pwrite(memory, other, 8, (uintptr_t)page) < 0)
		return;
}

static int fetched(int map, int by_path)
{
	char path[256];
	union bpf_attr attr = {.map_id = map_id(map)};

	if (!by_path)
		return bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
	snprintf(path, sizeof(path), "%s/writes", getenv("BPFFS"));
	attr = (union bpf_attr){.pathname = (uintptr_t)path, .bpf_fd = map};
	bpf(BPF_OBJ_PIN, &attr, sizeof(attr));
	attr = (union bpf_attr){.pathname = (uintptr_t)path};
	map = bpf(BPF_OBJ_GET, &attr, sizeof(attr));
	unlink(path);
	return map;
}

// An iterator of the test's, which writes to each element of the map that it finds pinned.
static void iterate(int map)
{
	char path[256];
	union bpf_attr attr;

	snprintf(path, sizeof(path), "%s/iterated", getenv("BPFFS"));
	attr = (union bpf_attr){.pathname = (uintptr_t)path, .bpf_fd = map};
	if (bpf(BPF_OBJ_PIN, &attr, sizeof(attr)) || system(getenv("ITERATE")))
		printf("no iterator\n");
	unlink(path);
}

// A program of its own that writes to the map.
static void write_by_program(int map)
{
	struct bpf_insn insns[] = {
		LOAD_VALUE(map),
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 1, .imm = 2},
		MOV0(0),
		EXIT,
	};
	char packet[64] = {};
	union bpf_attr attr = {};
	int prog = load(insns, 5);

	attr.test.prog_fd = prog;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof(packet);
	if (prog >= 0)
		bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr));
}

static char *fixed;

static void by_update(int map) { map_command(BPF_MAP_UPDATE_ELEM, map, other); }
static void by_delete(int map) { map_command(BPF_MAP_DELETE_ELEM, map, other); }
static void by_lookup_and_delete(int map)
{
	char taken[SIZE];

	map_command(BPF_MAP_LOOKUP_AND_DELETE_ELEM, map, taken);
}
static void by_update_batch(int map) { batch(BPF_MAP_UPDATE_BATCH, map, other); }
static void by_delete_batch(int map) { batch(BPF_MAP_DELETE_BATCH, map, other); }
static void by_lookup_and_delete_batch(int map)
{
	char taken[SIZE];

	batch(BPF_MAP_LOOKUP_AND_DELETE_BATCH, map, taken);
}
static void by_id(int map) { by_update(fetched(map, 0)); }
static void by_path(int map) { by_update(fetched(map, 1)); }
static void by_mmap(int map) { write_mapped(map); }
static void by_mprotect(int map) { write_readable(map, 0); }
static void by_writev(int map) { write_readable(map, 1); }
static void by_mem(int map) { write_readable(map, 2); }
static void by_fixed_buffer(int map)
{
	if (fixed)
		read_fixed(fixed);
}

static const struct {
	const char *name;
	void (*write)(int map);
} WAYS[] = {
	{"UPDATE_ELEM", by_update},
	{"DELETE_ELEM", by_delete},
	{"LOOKUP_AND_DELETE_ELEM", by_lookup_and_delete},
	{"UPDATE_BATCH", by_update_batch},
	{"DELETE_BATCH", by_delete_batch},
	{"LOOKUP_AND_DELETE_BATCH", by_lookup_and_delete_batch},
	{"GET_FD_BY_ID", by_id},
	{"OBJ_GET", by_path},
	{"mmap", by_mmap},
	{"mprotect", by_mprotect},
	{"process_vm_writev", by_writev},
	{"/proc/self/mem", by_mem},
	{"program", write_by_program},
	{"fixed buffer", by_fixed_buffer},
	{"iterator", iterate},
};

static const struct {
	const char *name;
	unsigned flags;
	int frozen, exclusive;
} KINDS[] = {
	{"plain", 0, 0, 0},
	{"plain frozen", 0, 1, 0},
	{"readonly", RDONLY_PROG, 0, 0},
	{"readonly frozen", RDONLY_PROG, 1, 0},
	{"mapped", BPF_F_MMAPABLE, 0, 0},
	{"mapped readonly", BPF_F_MMAPABLE | RDONLY_PROG, 0, 0},
	{"mapped readonly frozen", BPF_F_MMAPABLE | RDONLY_PROG, 1, 0},
	{"mapped exclusive frozen", BPF_F_MMAPABLE, 1, 1},
	{"exclusive", 0, 0, 1},
	{"exclusive frozen", 0, 1, 1},
};

// Returns what the map holds: what the program reads, as it is verified and compiled for that value or not.
static void fill_reader(struct bpf_insn *insns, int map)
{
	const struct bpf_insn reader[] = {
		LOAD_VALUE(map),
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 0, .src_reg = 1},
		EXIT,
	};

	memcpy(insns, reader, sizeof(reader));
}

// SHA-256 of the reader with its map zeroed, which the test has told.
static void digest_of(uint8_t *digest)
{
	for (int i = 0; i < 32; i++)
		sscanf(getenv("DIGEST") + 2 * i, "%2hhx", &digest[i]);
}

static void format(uint64_t address)
{
	union bpf_attr create = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
				 .map_flags = RDONLY_PROG, .map_name = "format"};
	int map = bpf(BPF_MAP_CREATE, &create, sizeof(create)), prog;
	union bpf_attr attr = {.map_fd = map};
	char text[8] = "%d", packet[64] = {};
	struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .imm = (uint32_t)address}, {.imm = address >> 32},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 1, .off = -8},
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -16},
		{.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 3, .src_reg = BPF_PSEUDO_MAP_VALUE, .imm = map}, {},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -16},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 4, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 4, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 5, .imm = 8},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_snprintf},
		{.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 0, .src_reg = 10, .off = -16},
		EXIT,
	};

	map_command(BPF_MAP_UPDATE_ELEM, map, text);
	if (bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)))
		printf("freeze errno %d\n", errno);
	fill(&attr, insns, sizeof(insns) / sizeof(*insns));
	attr.prog_type = BPF_PROG_TYPE_XDP;
	prog = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0) {
		printf("load errno %d\n", errno);
		return;
	}
	iterate(map);
	attr = (union bpf_attr){.test = {.prog_fd = prog, .data_in = (uintptr_t)packet, .data_size_in = sizeof(packet)}};
	if (bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		printf("run errno %d\n", errno);
	printf("printed: %.4s\n", (char *)&attr.test.retval);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("PRINT")) {
		struct bpf_insn insns[4];

		fill_reader(insns, 0);
		for (size_t i = 0; i < sizeof(insns); i++)
			printf("%02x", ((uint8_t *)insns)[i]);
		return 0;
	}
	if (argc > 2)
		return format(strtoull(argv[2], NULL, 16)), 0;
	value[0] = 1, other[0] = 2;
	for (size_t kind = 0; kind < sizeof(KINDS) / sizeof(*KINDS); kind++)
		for (size_t way = 0; way < sizeof(WAYS) / sizeof(*WAYS); way++) {
			union { union bpf_attr attr; struct { char before[80]; uint64_t hash; uint32_t size; } newer; } create = {
				.attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = SIZE, .max_entries = 1,
					 .map_flags = KINDS[kind].flags, .map_name = "rules"}};
			uint8_t digest[32];
			struct bpf_insn insns[4];
			union bpf_attr attr;
			char now[SIZE];
			int map, prog;

			if (KINDS[kind].exclusive) {
				digest_of(digest);
				create.newer.hash = (uintptr_t)digest;
				create.newer.size = sizeof(digest);
			}
			map = bpf(BPF_MAP_CREATE, &create, 96);
			if (map < 0) {
				printf("%s: create errno %d\n", KINDS[kind].name, errno);
				break;
			}
			map_command(BPF_MAP_UPDATE_ELEM, map, value);
			fixed = WAYS[way].write == by_fixed_buffer ? fix(map) : NULL;
			attr = (union bpf_attr){.map_fd = map};
			if (KINDS[kind].frozen && bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)))
				printf("%s: freeze errno %d\n", KINDS[kind].name, errno);
			fill_reader(insns, map);
			prog = load(insns, 4);
			if (prog < 0) {
				printf("%s: load errno %d\n", KINDS[kind].name, errno);
				close(map);
				break;
			}
			WAYS[way].write(map);
			if (map_command(BPF_MAP_LOOKUP_ELEM, map, now))
				printf("%s: lookup errno %d\n", KINDS[kind].name, errno);
			printf("%s, %s: %s\n", KINDS[kind].name, WAYS[way].name, now[0] == 1 ? "kept" : "changed");
			close(prog);
			close(map);
			if (fixed)
				close(ring_fd);
		}
	return 0;
}
