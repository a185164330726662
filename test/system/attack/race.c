// race KIND TRIES: loads programs while a thread changes what is being loaded between the gate's look and the kernel's.
// Prints `tries N loaded N forbidden N`: a forbidden program is one that the policy refuses and that got an fd.
#include "bpf.h"

static volatile int stop;
static struct bpf_insn insns[64];
static union bpf_attr attr;
static struct bpf_insn good[64], bad[64];
static int good_map, bad_map, slot = 100;

static void pause_a_little(unsigned *seed)
{
	for (unsigned spin = rand_r(seed) % 400; spin > 0; spin--)
		__asm__ volatile("pause");
}

// Each kind changes one thing back and forth; the program that results is forbidden in one of the two states.
static volatile union bpf_attr *const live = &attr;

static void set_insns(int forbidden) { ((volatile struct bpf_insn *)insns)[0].imm = forbidden; }
static void set_pointer(int forbidden) { live->insns = (uintptr_t)(forbidden ? bad : good); }
static void set_type(int forbidden) { live->prog_type = forbidden ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SOCKET_FILTER; }
static void set_fd(int forbidden) { dup2(forbidden ? bad_map : good_map, slot); }

static const struct kind {
	const char *name;
	void (*set)(int forbidden);
} KINDS[] = {{"insns", set_insns}, {"pointer", set_pointer}, {"type", set_type}, {"fd", set_fd}};

static const struct kind *kind;

static void *change(void *arg)
{
	unsigned seed = 1;

	while (!stop) {
		kind->set(1);
		pause_a_little(&seed);
		kind->set(0);
		pause_a_little(&seed);
	}
	return NULL;
}

static int forbidden_program(int fd, uint64_t bad_tag)
{
	struct bpf_prog_info info;
	uint32_t id = 0;

	if (!strcmp(kind->name, "fd")) {
		union bpf_attr query = {};
		struct bpf_map_info map = {};

		memset(&info, 0, sizeof(info));
		info.nr_map_ids = 1;
		info.map_ids = (uintptr_t)&id;
		query.info.bpf_fd = fd;
		query.info.info_len = sizeof(info);
		query.info.info = (uintptr_t)&info;
		bpf(BPF_OBJ_GET_INFO_BY_FD, &query, sizeof(query));
		memset(&query, 0, sizeof(query));
		query.info.bpf_fd = bad_map;
		query.info.info_len = sizeof(map);
		query.info.info = (uintptr_t)&map;
		bpf(BPF_OBJ_GET_INFO_BY_FD, &query, sizeof(query));
		return id == map.id;
	}
	if (prog_info(fd, &info))
		return 1;
	if (!strcmp(kind->name, "type"))
		return info.type == BPF_PROG_TYPE_XDP;
	return memcmp(info.tag, &bad_tag, sizeof(bad_tag)) == 0;
}

int main(int argc, char **argv)
{
	long tries = atol(argv[2]), loaded = 0, forbidden = 0, done = 0;
	uint64_t bad_tag = strtoull(argv[3], NULL, 16);
	unsigned count = 2;
	pthread_t thread;

	bad_tag = __builtin_bswap64(bad_tag);
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++)
		if (!strcmp(KINDS[i].name, argv[1]))
			kind = &KINDS[i];
	memcpy(insns, GOOD, sizeof(GOOD));
	memcpy(good, GOOD, sizeof(GOOD));
	memcpy(bad, BAD, sizeof(BAD));
	if (!strcmp(kind->name, "fd")) {
		// the policy refuses programs that use a map with values of 16 bytes
		good_map = array(8);
		bad_map = array(16);
		insns[0] = (struct bpf_insn){.code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = BPF_PSEUDO_MAP_FD, .dst_reg = 1, .imm = slot};
		insns[1] = (struct bpf_insn){};
		insns[2] = MOV0(0);
		insns[3] = EXIT;
		count = 4;
	}
	kind->set(0);
	fill(&attr, insns, count);
	kind->set(0);
	pthread_create(&thread, NULL, change, NULL);
	for (; done < tries; done++) {
		int fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));

		if (fd < 0)
			continue;
		loaded++;
		forbidden += forbidden_program(fd, bad_tag);
		close(fd);
		if (argc > 4 && forbidden)
			break;
	}
	stop = 1;
	pthread_join(thread, NULL);
	printf("tries %ld loaded %ld forbidden %ld\n", done, loaded, forbidden);
	return 0;
}
