// exhaust WAY COUNT: has the gate keep or allocate as much as it can be made to, COUNT times. Prints `OUTCOME: N` of
// the calls, and keeps nothing itself.
//   programs N   loads ever other programs of so many instructions
//   counts       loads with more instructions, records, fds or log than anybody may have
//   records      loads with as many records as the gate copies
//   logs         loads with the largest log that the kernel takes
//   types        loads BTF of 16 MiB, which is none
//   maps         creates the largest map that the kernel takes
#include "bpf.h"
#include <sys/resource.h>

#define MIB (1 << 20)

static int outcomes[4096];

static long say(long result)
{
	outcomes[result >= 0 ? 0 : errno]++;
	if (result > 0)
		close(result);
	return result;
}

static void *room(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		exit(3);
	return memory;
}

static void programs(int count, unsigned insns)
{
	struct bpf_insn *code = room(insns * sizeof(*code));

	for (unsigned i = 0; i < insns; i++)
		code[i] = MOV0(2);
	code[insns - 1] = EXIT;
	for (int i = 0; i < count; i++) {
		code[0].imm = i;
		say(load(code, insns));
	}
}

// With the fields of Linux 6.18, which older headers do not have.
static union {
	union bpf_attr attr;
	struct {
		char before[148];
		uint32_t fd_array_cnt;
		uint64_t signature;
		uint32_t signature_size, keyring_id;
	} newer;
} it;

#define attr it.attr
#define TRY(...) (memset(&it, 0, sizeof(it)), fill(&attr, GOOD, 2), __VA_ARGS__, say(bpf(BPF_PROG_LOAD, &it, 168)))

static void counts(int count)
{
	void *large = room(64 * MIB);

	for (int i = 0; i < count; i++) {
		TRY(attr.insn_cnt = -1);
		TRY(attr.insn_cnt = 1000001);
		TRY(attr.func_info_cnt = -1, attr.func_info_rec_size = 8, attr.func_info = (uintptr_t)large);
		TRY(attr.line_info_cnt = -1, attr.line_info_rec_size = 252, attr.line_info = (uintptr_t)large);
		TRY(attr.func_info_cnt = 1, attr.func_info_rec_size = 8, attr.func_info = (uintptr_t)large,
		    attr.core_relo_cnt = -1, attr.core_relo_rec_size = 16, attr.core_relos = (uintptr_t)large);
		TRY(attr.fd_array = (uintptr_t)large, it.newer.fd_array_cnt = -1);
		TRY(attr.fd_array = (uintptr_t)large, it.newer.fd_array_cnt = 16 * MIB);
		TRY(it.newer.signature = (uintptr_t)large, it.newer.signature_size = -1);
		TRY(attr.log_buf = (uintptr_t)large, attr.log_size = -1, attr.log_level = 1);
		say(bpf(BPF_PROG_LOAD, large, 64 * MIB));
		say(bpf(BPF_MAP_CREATE, large, -1));
	}
}

static void records(int count)
{
	char *large = room(16 * MIB);

	// pages that are not there yet would be the task's own delay
	memset(large, 0, 16 * MIB);
	for (int i = 0; i < count; i++)
		TRY(attr.func_info_cnt = attr.line_info_cnt = attr.core_relo_cnt = 16 * MIB / 32,
		    attr.func_info_rec_size = attr.line_info_rec_size = attr.core_relo_rec_size = 32,
		    attr.func_info = attr.line_info = attr.core_relos = (uintptr_t)large);
}

static void logs(int count)
{
	void *large = room(1u << 30);

	for (int i = 0; i < count; i++)
		TRY(attr.log_buf = (uintptr_t)large, attr.log_size = (1u << 30) - 1, attr.log_level = 2);
}

static void types(int count)
{
	void *large = room(16 * MIB);

	attr = (union bpf_attr){.btf = (uintptr_t)large, .btf_size = 16 * MIB};

	for (int i = 0; i < count; i++)
		say(bpf(BPF_BTF_LOAD, &attr, sizeof(attr)));
}

static void maps(int count)
{
	attr = (union bpf_attr){.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 1 << 20, .max_entries = 1 << 12};

	for (int i = 0; i < count; i++)
		say(bpf(BPF_MAP_CREATE, &attr, sizeof(attr)));
}

int main(int argc, char **argv)
{
	const char *way = argv[1];
	int count = atoi(argv[2]);

	if (!strcmp(way, "programs"))
		programs(count, atoi(argv[3]));
	if (!strcmp(way, "counts"))
		counts(count);
	if (!strcmp(way, "records"))
		records(count);
	if (!strcmp(way, "logs"))
		logs(count);
	if (!strcmp(way, "types"))
		types(count);
	if (!strcmp(way, "maps"))
		maps(count);
	for (int i = 0; i < 4096; i++)
		if (outcomes[i])
			printf("%s: %d\n", i ? strerrorname_np(i) : "done", outcomes[i]);
	return argc < 3;
}
