// Runs the programs of a file, which test/system/guest/marked-stack/batch.ts writes, and says for each whether the
// kernel loads it, whether it ran, what the call of its helper returned, and how many marker bytes came out of it.
#include "triggers.h"
#include <sched.h>
#include <stdbool.h>

#define RUNS 3
// So many marker bytes are none that happen to be in the output.
#define ENOUGH 3

static struct bpf_insn insns[512];
static struct map *state;

static unsigned unhex(const char *text, unsigned char *bytes, unsigned most)
{
	unsigned size = 0, byte;

	while (size < most && sscanf(text + 2 * size, "%2x", &byte) == 1)
		bytes[size++] = byte;
	return size;
}

static void read_map(const char *line)
{
	static char contents[2 * MAX_VALUE + 1];
	unsigned char bytes[MAX_VALUE] = {};
	struct map *map = &maps[map_count++];

	contents[0] = 0;
	if (sscanf(line, "map %c %u %u %u %u %u %8192s", &map->role, &map->type, &map->key, &map->value, &map->entries,
		   &map->flags, contents) < 6) {
		fprintf(stderr, "bad line: %s", line);
		exit(1);
	}
	unhex(contents, bytes, sizeof(bytes));
	if (make_map(map, bytes) != 0)
		fprintf(stderr, "map of type %u, role %c: %s\n", map->type, map->role, strerror(errno));
	if (map->role == 's')
		state = map;
}

static int module_btf(const char *name)
{
	union bpf_attr attr = {};

	while (bpf(BPF_BTF_GET_NEXT_ID, &attr, sizeof(attr)) == 0) {
		char found[64] = "";
		struct bpf_btf_info info = {.name = (uintptr_t)found, .name_len = sizeof(found)};
		union bpf_attr by_id = {.btf_id = attr.next_id}, about = {};
		int fd = bpf(BPF_BTF_GET_FD_BY_ID, &by_id, sizeof(by_id));

		about.info.bpf_fd = fd;
		about.info.info_len = sizeof(info);
		about.info.info = (uintptr_t)&info;
		if (fd >= 0 && bpf(BPF_OBJ_GET_INFO_BY_FD, &about, sizeof(about)) == 0 && strcmp(found, name) == 0)
			return fd;
		close(fd);
		attr.start_id = attr.next_id;
	}
	return -1;
}

// Beginnings of the log's lines that are statistics and, from Linux 7 on, advice.
static const char *const NO_REASON[] = {" ", "Suggestion:", "processed ", "stack depth", "verification time", "max_"};

// The last line of the verifier's log that says why it rejects the program.
static const char *last_line(char *log)
{
	char *last = "";

	for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		bool is_reason = true;

		for (unsigned at = 0; at < sizeof(NO_REASON) / sizeof(*NO_REASON); at++)
			is_reason &= strncmp(line, NO_REASON[at], strlen(NO_REASON[at])) != 0;
		if (is_reason)
			last = line;
	}
	return last;
}

static int load(const struct program *program, unsigned count, char *log, unsigned log_size)
{
	union bpf_attr attr = {.prog_type = program->type, .insns = (uintptr_t)insns, .insn_cnt = count};
	int fds[2] = {0, -1}, fd;

	for (unsigned slot = 0; slot < count; slot++) {
		if (insns[slot].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[slot].src_reg == BPF_PSEUDO_MAP_FD || insns[slot].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns[slot].imm = maps[insns[slot].imm].fd;
		slot++;
	}
	if (program->module[0] != '-') {
		fds[1] = module_btf(program->module);
		attr.fd_array = (uintptr_t)fds;
	}
	if (strcmp(program->trigger, "veth") == 0) {
		attr.prog_ifindex = if_nametoindex(DEVICE);
		attr.prog_flags = BPF_F_XDP_DEV_BOUND_ONLY;
	}
	attr.license = (uintptr_t)"GPL";
	attr.expected_attach_type = program->expected;
	attr.attach_btf_id = program->btf_id;
	attr.prog_flags |= program->flags;
	attr.log_level = 1;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = log_size;
	log[0] = 0;
	fd = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fds[1] >= 0)
		close(fds[1]);
	return fd;
}

static int64_t *seen(void)
{
	static int64_t value[2];

	value[0] = 0;
	if (state != NULL)
		look_up(state->fd, value);
	return value;
}

static int has_run(void)
{
	return seen()[0] != 0;
}

// Has the program run several times, until marker bytes come out: an interrupt between marking the stack and the call
// overwrites the marker.
static int printed_by(const struct program *program)
{
	int longest = 0;

	for (int times = 0; times < RUNS && longest < ENOUGH; times++) {
		int64_t unseen[2] = {};
		int printed, outputs;

		update(state->fd, 0, unseen);
		printed = trigger(program, has_run);
		outputs = marked_outputs();
		if (printed < 0)
			return -1;
		if (printed > longest)
			longest = printed;
		if (outputs > longest)
			longest = outputs;
	}
	return longest;
}

static void run(const char *line)
{
	static char hex[2 * sizeof(insns) + 1], packet[513], context[513], log[1 << 18];
	struct program program = {};
	unsigned count;
	int printed;

	if (sscanf(line, "program %127s %u %u %u %u %15s %127s %31s %512s %512s %8192s", program.name, &program.type,
		   &program.expected, &program.btf_id, &program.flags, program.trigger, program.action, program.module,
		   packet, context, hex) != 11) {
		fprintf(stderr, "bad line: %s", line);
		exit(1);
	}
	program.packet_size = unhex(packet, program.packet, sizeof(program.packet));
	program.context_size = unhex(context, program.context, sizeof(program.context));
	count = unhex(hex, (unsigned char *)insns, sizeof(insns)) / sizeof(*insns);
	marked_text();
	program.fd = load(&program, count, log, sizeof(log));
	if (program.fd < 0) {
		int reason = errno;

		printf("%s\trejected\t%d\t%s\n", program.name, reason, last_line(log));
	} else if ((printed = printed_by(&program)) < 0) {
		printf("%s\tfailed\t%s\n", program.name, strerror(errno));
	} else if (!has_run()) {
		printf("%s\tidle\n", program.name);
	} else {
		printf("%s\tran\t%lld\t%d\n", program.name, (long long)seen()[1], printed);
	}
	if (program.fd >= 0)
		close(program.fd);
	close_maps();
	state = NULL;
}

// User memory at a known address: a short text, a long one, and a text that ends where the next page is missing.
static void lay_out_memory(void)
{
	char *memory = mmap((void *)0x20000000, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (memory == MAP_FAILED)
		perror("mmap");
	strcpy(memory, "ab");
	memset(memory + 256, 'x', 128);
	memset(memory + PAGE - 12, 'y', 12);
}

static void enter_cgroup(void)
{
	char pid[16];

	mkdir(CGROUP, 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	write_file(CGROUP "/cgroup.procs", pid);
}

int main(int argc, char **argv)
{
	static char line[1 << 16];
	cpu_set_t first;
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;

	if (file == NULL) {
		fprintf(stderr, "usage: marked-stack FILE\n");
		return 2;
	}
	// Perf events are those of one processor, and softirqs of the loopback device run on the sender's.
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	// The kernel enables this event when it loads the first program that prints. On 6.12, what the first ones print
	// was lost.
	write_file("/sys/kernel/tracing/events/bpf_trace/bpf_trace_printk/enable", "1");
	trace_pipe = open("/sys/kernel/tracing/trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lay_out_memory();
	enter_cgroup();
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "map ", 4) == 0)
			read_map(line);
		else
			run(line);
	}
	return 0;
}
