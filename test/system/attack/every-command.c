// every-command < SETS: every command of bpf(2) in several ways, by a child with each set of capabilities that stdin
// names, one `UID CAPABILITIES CASES` a line: cases are a hexadecimal string with a bit for each, or `all`. Prints what
// came of each, the same with a gate as without. `every-command list` prints the cases. BPFFS is a BPF file system that
// everyone may enter.
#include "bpf.h"
#include <grp.h>
#include <linux/btf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/stat.h>

#define MAP_TYPES 34
#define PROGRAM_TYPES 33
#define COMMANDS 41

static struct {
	int array, hash, queue, program, raw, cls, skb, attached, link, btf, event, cgroup;
	uint32_t program_id, map_id, link_id, btf_id;
	char open_pin[512], closed_pin[512], new_pin[512], new_closed_pin[512];
} have;

#define CALL(cmd, size, ...) bpf(cmd, &(union bpf_attr){__VA_ARGS__}, size)
#define WHOLE sizeof(union bpf_attr)
#define ID_SIZE 12

static char key[64], value[4096];

static long map_of(unsigned type)
{
	unsigned wide = type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_HASH, buffer = type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF;
	unsigned storage = type >= BPF_MAP_TYPE_SK_STORAGE && type <= BPF_MAP_TYPE_INODE_STORAGE;

	return CALL(BPF_MAP_CREATE, WHOLE, .map_type = type, .key_size = buffer ? 0 : type == BPF_MAP_TYPE_LPM_TRIE ? 8 : 4, .value_size = buffer ? 0 : wide ? 8 : 4,
		    .max_entries = buffer ? 4096 : storage ? 0 : 1, .map_flags = storage || type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0);
}

static long load_as(unsigned type, unsigned attach_type, const struct bpf_insn *insns, unsigned count, unsigned flags)
{
	union bpf_attr attr;

	fill(&attr, insns, count);
	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	attr.prog_flags = flags;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static const struct bpf_insn ONE[2] = {MOV0(1), EXIT};
static const struct bpf_insn POINTER[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 10}, EXIT};
static const struct bpf_insn LOOP[4] = {MOV0(0), {.code = BPF_ALU64 | BPF_ADD | BPF_K, .imm = 1},
					{.code = BPF_JMP | BPF_JLT | BPF_K, .off = -2, .imm = 4}, EXIT};
static const struct bpf_insn SUBPROGRAM[4] = {{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = 1}, EXIT, MOV0(1), EXIT};
static const struct bpf_insn UNINITIALIZED[3] = {{.code = BPF_LDX | BPF_MEM | BPF_DW, .src_reg = 10, .off = -8}, MOV0(0), EXIT};

static long load_helper(int type, int helper)
{
	const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10},
					 {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8},
					 {.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = 10, .off = -8},
					 {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8},
					 {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3},
					 {.code = BPF_JMP | BPF_CALL, .imm = helper},
					 MOV0(0),
					 EXIT};

	return load_as(type, 0, insns, 8, 0);
}

static long load_long(unsigned count)
{
	static struct bpf_insn insns[5000];

	for (unsigned i = 0; i + 1 < count; i++)
		insns[i] = MOV0(0);
	insns[count - 1] = EXIT;
	return load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, insns, count, 0);
}

static long element(int cmd, int map)
{
	return CALL(cmd, 32, .map_fd = map, .key = map == have.queue ? 0 : (uintptr_t)key, .value = (uintptr_t)value);
}

// What a call takes away is put in before.
static long taken(long (*call)(int, int), int cmd, int map)
{
	element(BPF_MAP_UPDATE_ELEM, map);
	return call(cmd, map);
}

static long batch(int cmd, int map)
{
	memset(key, 0, sizeof(key));
	return CALL(cmd, 56, .batch = {.out_batch = (uintptr_t)value, .keys = (uintptr_t)key, .values = (uintptr_t)value, .count = 1, .map_fd = map});
}

static long info(int fd, int with_instructions)
{
	struct bpf_prog_info of = {};

	if (with_instructions) {
		of.xlated_prog_len = sizeof(value);
		of.xlated_prog_insns = (uintptr_t)value;
	}
	long result = CALL(BPF_OBJ_GET_INFO_BY_FD, 16, .info = {.bpf_fd = fd, .info_len = sizeof(of), .info = (uintptr_t)&of});

	// what was not to be shown is said to have no length
	return result < 0 || !with_instructions ? result : of.xlated_prog_len == 0 || of.xlated_prog_insns == 0 ? (errno = ENODATA, -1) : 0;
}

static long pin(const char *path)
{
	long result = CALL(BPF_OBJ_PIN, 24, .pathname = (uintptr_t)path, .bpf_fd = have.array);

	if (result == 0)
		unlink(path);
	return result;
}

// Does the opposite afterwards.
static long attach(int cmd, int program)
{
	union bpf_attr attr = {.target_fd = have.cgroup, .attach_bpf_fd = program, .attach_type = BPF_CGROUP_INET_EGRESS,
			       .attach_flags = cmd == BPF_PROG_ATTACH ? BPF_F_ALLOW_MULTI : 0};
	long result = bpf(cmd, &attr, 32);

	attr.attach_flags = cmd == BPF_PROG_ATTACH ? 0 : BPF_F_ALLOW_MULTI;
	if (result == 0)
		bpf(BPF_PROG_ATTACH + BPF_PROG_DETACH - cmd, &attr, 32);
	return result;
}

static long run(int program)
{
	return CALL(BPF_PROG_TEST_RUN, 80, .test = {.prog_fd = program, .data_size_in = program == have.raw ? 0 : 64, .repeat = 1,
						    .data_in = program == have.raw ? 0 : (uintptr_t)value});
}

static const struct {
	struct btf_header header;
	uint32_t type[4];
	char text[8];
} TYPES = {{.magic = BTF_MAGIC, .version = 1, .hdr_len = sizeof(struct btf_header), .type_len = 16, .str_off = 16, .str_len = 8},
	   {1, BTF_KIND_INT << 24, 4, 1 << 24 | 32},
	   "\0int"};

static long types(void)
{
	return CALL(BPF_BTF_LOAD, 40, .btf = (uintptr_t)&TYPES, .btf_size = sizeof(TYPES));
}

static long link_to(int program, int target, int type)
{
	return CALL(BPF_LINK_CREATE, 64, .link_create = {.prog_fd = program, .target_fd = target, .attach_type = type});
}

#define CASES(of) \
	of("array of few", 0, map_of(BPF_MAP_TYPE_ARRAY)) \
	of("look up", 1, element(BPF_MAP_LOOKUP_ELEM, have.array)) \
	of("update", 2, element(BPF_MAP_UPDATE_ELEM, have.array)) \
	of("delete", 3, taken(element, BPF_MAP_DELETE_ELEM, have.hash)) \
	of("next key", 4, element(BPF_MAP_GET_NEXT_KEY, have.array)) \
	of("a pointer that leaks", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, POINTER, 2, 0)) \
	of("a loop", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, LOOP, 4, 0)) \
	of("a subprogram", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, SUBPROGRAM, 4, 0)) \
	of("memory of nobody", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, UNINITIALIZED, 3, 0)) \
	of("4096 instructions", 5, load_long(4096)) \
	of("5000 instructions", 5, load_long(5000)) \
	of("trace_printk in a filter", 5, load_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_trace_printk)) \
	of("probe_read in a filter", 5, load_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_probe_read_kernel)) \
	of("probe_read in a tracer", 5, load_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_probe_read_kernel)) \
	of("ktime in a filter", 5, load_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_ktime_get_ns)) \
	of("strict alignment", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 2, BPF_F_STRICT_ALIGNMENT)) \
	of("any alignment", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 2, BPF_F_ANY_ALIGNMENT)) \
	of("random high halves", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 2, BPF_F_TEST_RND_HI32)) \
	of("no instructions", 5, load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 0, 0)) \
	of("egress of a cgroup", 5, load_as(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, ONE, 2, 0)) \
	of("pin", 6, pin(have.new_pin)) \
	of("pin where root alone may", 6, pin(have.new_closed_pin)) \
	of("get", 7, CALL(BPF_OBJ_GET, 24, .pathname = (uintptr_t)have.open_pin)) \
	of("get to read", 7, CALL(BPF_OBJ_GET, 24, .pathname = (uintptr_t)have.open_pin, .file_flags = BPF_F_RDONLY)) \
	of("get where root alone may", 7, CALL(BPF_OBJ_GET, 24, .pathname = (uintptr_t)have.closed_pin)) \
	of("get of nothing", 7, CALL(BPF_OBJ_GET, 24, .pathname = (uintptr_t)have.new_pin)) \
	of("attach", 8, attach(BPF_PROG_ATTACH, have.skb)) \
	of("detach", 9, attach(BPF_PROG_DETACH, have.attached < 0 ? 0 : have.attached)) \
	of("run a filter", 10, run(have.program)) \
	of("run a tracer", 10, run(have.raw)) \
	of("run a classifier", 10, run(have.cls)) \
	of("next program", 11, CALL(BPF_PROG_GET_NEXT_ID, ID_SIZE)) \
	of("next map", 12, CALL(BPF_MAP_GET_NEXT_ID, ID_SIZE)) \
	of("program by id", 13, CALL(BPF_PROG_GET_FD_BY_ID, ID_SIZE, .prog_id = have.program_id)) \
	of("no program by id", 13, CALL(BPF_PROG_GET_FD_BY_ID, ID_SIZE, .prog_id = 0x7ffffffe)) \
	of("map by id", 14, CALL(BPF_MAP_GET_FD_BY_ID, ID_SIZE, .map_id = have.map_id)) \
	of("no map by id", 14, CALL(BPF_MAP_GET_FD_BY_ID, ID_SIZE, .map_id = 0x7ffffffe)) \
	of("info of a program", 15, info(have.program, 0)) \
	of("instructions of a program", 15, info(have.program, 1)) \
	of("info of a map", 15, info(have.array, 0)) \
	of("info of a link", 15, info(have.link, 0)) \
	of("query a cgroup", 16, CALL(BPF_PROG_QUERY, WHOLE, .query = {.target_fd = have.cgroup, .attach_type = BPF_CGROUP_INET_EGRESS})) \
	of("query an interface", 16, CALL(BPF_PROG_QUERY, WHOLE, .query = {.target_fd = 1, .attach_type = BPF_TCX_INGRESS})) \
	of("open a tracepoint", 17, CALL(BPF_RAW_TRACEPOINT_OPEN, 24, .raw_tracepoint = {.name = (uintptr_t)"sched_switch", .prog_fd = have.raw})) \
	of("load types", 18, types()) \
	of("types by id", 19, CALL(BPF_BTF_GET_FD_BY_ID, ID_SIZE, .btf_id = have.btf_id)) \
	of("query an fd", 20, CALL(BPF_TASK_FD_QUERY, 48, .task_fd_query = {.pid = getpid(), .fd = have.event})) \
	of("look up and delete", 21, taken(element, BPF_MAP_LOOKUP_AND_DELETE_ELEM, have.queue)) \
	of("freeze", 22, CALL(BPF_MAP_FREEZE, 4, .map_fd = map_of(BPF_MAP_TYPE_ARRAY))) \
	of("freeze an old one", 22, CALL(BPF_MAP_FREEZE, 4, .map_fd = have.queue)) \
	of("next types", 23, CALL(BPF_BTF_GET_NEXT_ID, ID_SIZE)) \
	of("look up many", 24, batch(BPF_MAP_LOOKUP_BATCH, have.array)) \
	of("look up and delete many", 25, taken(batch, BPF_MAP_LOOKUP_AND_DELETE_BATCH, have.hash)) \
	of("update many", 26, batch(BPF_MAP_UPDATE_BATCH, have.array)) \
	of("delete many", 27, taken(batch, BPF_MAP_DELETE_BATCH, have.hash)) \
	of("link to a cgroup", 28, link_to(have.skb, have.cgroup, BPF_CGROUP_INET_EGRESS)) \
	of("link to an interface", 28, link_to(have.cls, 1, BPF_TCX_INGRESS)) \
	of("link to an event", 28, link_to(have.raw, have.event, BPF_PERF_EVENT)) \
	of("update a link", 29, CALL(BPF_LINK_UPDATE, 16, .link_update = {.link_fd = have.link, .new_prog_fd = have.skb})) \
	of("link by id", 30, CALL(BPF_LINK_GET_FD_BY_ID, ID_SIZE, .link_id = have.link_id)) \
	of("next link", 31, CALL(BPF_LINK_GET_NEXT_ID, ID_SIZE)) \
	of("enable statistics", 32, CALL(BPF_ENABLE_STATS, 4, .enable_stats = {.type = BPF_STATS_RUN_TIME})) \
	of("start an iterator", 33, CALL(BPF_ITER_CREATE, 8, .iter_create = {.link_fd = have.link})) \
	of("detach a link", 34, CALL(BPF_LINK_DETACH, 4, .link_detach = {.link_fd = link_to(have.skb, have.cgroup, BPF_CGROUP_INET_EGRESS)})) \
	of("bind a map", 35, CALL(BPF_PROG_BIND_MAP, 12, .prog_bind_map = {.prog_fd = have.program, .map_fd = have.array})) \
	of("make a token", 36, CALL(36, 8)) \
	of("read a stream", 37, bpf(37, &(uint32_t[6]){(uintptr_t)value, (uintptr_t)value >> 32, 64, 1, have.program}, 24))

struct act {
	const char *name;
	int cmd;
};

#define NAME(name, cmd, expression) {name, cmd},
static const struct act ACTS[] = {CASES(NAME)};
#define COUNT (sizeof(ACTS) / sizeof(*ACTS))

static long act(size_t which)
{
	size_t at = 0;
#define ACT(name, cmd, expression) \
	if (at++ == which) \
		return expression;
	CASES(ACT)
	return -1;
}

// Behind the acts: each type of map and of program, and each command with an attr of zeros, with none, and with too
// large a one.
#define ALL (COUNT + MAP_TYPES + PROGRAM_TYPES + 3 * COMMANDS)

static void name_of(size_t which, char *name)
{
	if (which < COUNT)
		sprintf(name, "%d %s", ACTS[which].cmd, ACTS[which].name);
	else if ((which -= COUNT) < MAP_TYPES)
		sprintf(name, "0 type %zu", which);
	else if ((which -= MAP_TYPES) < PROGRAM_TYPES)
		sprintf(name, "5 type %zu", which);
	else if ((which -= PROGRAM_TYPES) < COMMANDS)
		sprintf(name, "%zu of zeros", which);
	else if ((which -= COMMANDS) < COMMANDS)
		sprintf(name, "%zu of nothing", which);
	else
		sprintf(name, "%zu of too much", which - COMMANDS);
}

static long make(size_t which)
{
	static char zeros[256], much[256] = {[255] = 1};

	if (which < COUNT)
		return act(which);
	if ((which -= COUNT) < MAP_TYPES)
		return map_of(which);
	if ((which -= MAP_TYPES) < PROGRAM_TYPES)
		return load_as(which, 0, GOOD, 2, which == BPF_PROG_TYPE_SYSCALL ? BPF_F_SLEEPABLE : 0);
	if ((which -= PROGRAM_TYPES) < COMMANDS) {
		memset(zeros, 0, sizeof(zeros));
		return bpf(which, zeros, 64);
	}
	if ((which -= COMMANDS) < COMMANDS)
		return bpf(which, (void *)8, 64);
	return bpf(which - COMMANDS, much, sizeof(much));
}

static uint32_t id_of(int fd)
{
	uint32_t info[64] = {};

	// in what is said of maps, programs and links it comes second, and of types third word
	CALL(BPF_OBJ_GET_INFO_BY_FD, 16, .info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)info});
	return fd == have.btf ? info[3] : info[1];
}

static void pinned(char *path, const char *folder, const char *name, mode_t mode)
{
	sprintf(path, "%s/%s", getenv("BPFFS"), folder);
	mkdir(path, 0777);
	chmod(path, mode);
	sprintf(path + strlen(path), "/%s", name);
}

static void set_up(void)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 1000000000};

	unshare(CLONE_NEWNET);
	have.array = map_of(BPF_MAP_TYPE_ARRAY);
	have.hash = map_of(BPF_MAP_TYPE_HASH);
	have.queue = CALL(BPF_MAP_CREATE, WHOLE, .map_type = BPF_MAP_TYPE_QUEUE, .value_size = 8, .max_entries = 1);
	have.program = load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 2, 0);
	have.raw = load_as(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, GOOD, 2, 0);
	have.cls = load_as(BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, GOOD, 2, 0);
	have.skb = load_as(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, ONE, 2, 0);
	have.attached = load_as(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, ONE, 2, 0);
	CALL(BPF_PROG_ATTACH, 32, .target_fd = have.cgroup, .attach_bpf_fd = have.attached, .attach_type = BPF_CGROUP_INET_EGRESS,
	     .attach_flags = BPF_F_ALLOW_MULTI);
	have.btf = types();
	have.event = syscall(SYS_perf_event_open, &event, 0, -1, -1, 0);
	have.cgroup = open(getenv("CGROUP"), O_RDONLY);
	have.link = link_to(have.skb, have.cgroup, BPF_CGROUP_INET_EGRESS);
	have.program_id = id_of(have.program);
	have.map_id = id_of(have.array);
	have.link_id = id_of(have.link);
	have.btf_id = id_of(have.btf);
	pinned(have.open_pin, "open", "array", 0777);
	pinned(have.closed_pin, "closed", "array", 0700);
	pinned(have.new_pin, "open", "new", 0777);
	pinned(have.new_closed_pin, "closed", "new", 0700);
	CALL(BPF_OBJ_PIN, 24, .pathname = (uintptr_t)have.open_pin, .bpf_fd = have.array);
	CALL(BPF_OBJ_PIN, 24, .pathname = (uintptr_t)have.closed_pin, .bpf_fd = have.array);
	chmod(have.open_pin, 0644);
}

static void become(uid_t uid, uint64_t set)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {};

	prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (uid != 0 && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
		perror("ids");
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = set >> (32 * i);
	if (syscall(SYS_capset, &header, data))
		perror("capset");
	// another uid makes a process one that nobody may look into
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int chosen(const char *cases, size_t which)
{
	return !strcmp(cases, "all") || (which < strlen(cases) && cases[which] == '1');
}

int main(int argc, char **argv)
{
	static char line[4096], cases[4096], name[128];
	unsigned uid;
	unsigned long long set;

	if (argc > 1) {
		for (size_t which = 0; which < ALL; which++) {
			name_of(which, name);
			puts(name);
		}
		return 0;
	}
	set_up();
	while (fgets(line, sizeof(line), stdin) && sscanf(line, "%u %llx %4095s", &uid, &set, cases) == 3) {
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			become(uid, set);
			for (size_t which = 0; which < ALL; which++) {
				if (!chosen(cases, which))
					continue;
				long result = make(which);
				int error = errno;

				name_of(which, name);
				const char *known = result >= 0 ? "done" : strerrorname_np(error);

				if (known != NULL)
					printf("%u %llx %s: %s\n", uid, set, name, known);
				else
					printf("%u %llx %s: errno %d\n", uid, set, name, error);
			}
			fflush(stdout);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
	unlink(have.open_pin);
	unlink(have.closed_pin);
	return 0;
}
