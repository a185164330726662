// faults SEED SHARE PAIRS: valid calls of bpf(2), calls with exactly one fault, of which one in SHARE is drawn, and PAIRS
// calls with two faults. Prints what came of each, to be compared with a gate and without. `faults list` prints the
// commands.
#include "valid-calls.h"

// The longest attr that the kernel reads, and what is behind it.
static unsigned char *attr;
#define PAGE 4096
static char *hole;
// An address of the kernel at which it maps nothing.
#define LAST_PAGE 0xfffffffffffff000

static uint64_t state;

static unsigned draw(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 17) % below;
}

// One call: the attr, and the three arguments.
static const struct call *call;
static void *address;
static unsigned size;
static char label[256];

static void put(const struct field *field, uint64_t value) { memcpy(attr + field->at, &value, field->width); }

static void say(const char *what, const char *which, long long value)
{
	size_t at = strlen(label);

	snprintf(label + at, sizeof(label) - at, ", %s %s %#llx", what, which, value);
}

// The faults of each kind of field are numbered from 0. Each function makes one, and returns 0 if there is none of this
// number.
static int fault_of_number(const struct field *field, unsigned which)
{
	static const uint64_t VALUES[] = {1, 7, 0x7fffffff, 0x80000000, 0xffffffff, 1ull << 40, -1ull};

	if (which >= (field->width == 4 ? 5 : 7))
		return 0;
	put(field, VALUES[which]);
	say(field->name, "is", VALUES[which]);
	return 1;
}

static int fault_of_flags(const struct field *field, unsigned which)
{
	uint64_t value = 0;

	if (which > field->width * 8)
		return 0;
	memcpy(&value, attr + field->at, field->width);
	value = which == field->width * 8 ? -1ull : value ^ 1ull << which;
	put(field, value);
	say(field->name, "is", value);
	return 1;
}

static int fault_of_choice(const struct field *field, unsigned which)
{
	static const unsigned VALUES[] = {999, 0x7fffffff, 0x80000000, 0xffffffff};

	if (which >= 64 + 4)
		return 0;
	put(field, which < 64 ? which : VALUES[which - 64]);
	say(field->name, "is", which < 64 ? which : VALUES[which - 64]);
	return 1;
}

static int fault_of_id(const struct field *field, unsigned which)
{
	static const unsigned VALUES[] = {0, 0x7ffffffe, 0x80000000, 0xffffffff};

	if (which >= 4)
		return 0;
	put(field, VALUES[which]);
	say(field->name, "is", VALUES[which]);
	return 1;
}

static int fault_of_fd(const struct field *field, unsigned which)
{
	static const struct {
		const char *name;
		const int *fd;
		int number;
	} FDS[] = {{"closed", NULL, 999}, {"negative", NULL, -1}, {"very negative", NULL, -9}, {"zero", NULL, 0}, {"/dev/null", &have.null},
		   {"array", &have.array}, {"program", &have.program}, {"xdp", &have.other}, {"link", &have.link}, {"types", &have.btf},
		   {"cgroup", &have.cgroup}, {"folder", &have.folder}, {"event", &have.event}};

	if (which >= sizeof(FDS) / sizeof(*FDS))
		return 0;
	put(field, FDS[which].fd ? *FDS[which].fd : FDS[which].number);
	say(field->name, FDS[which].name, 0);
	return 1;
}

static int fault_of_count(const struct field *field, unsigned which)
{
	static const unsigned VALUES[] = {0, 1, 3, 8, 17, 64, 256, 4095, 4096, 4097, 65537, 1 << 20, 1 << 25, 0x40000000, 0x7fffffff, 0xffffffff};
	unsigned now;

	memcpy(&now, attr + field->at, 4);
	if (which >= 18)
		return 0;
	put(field, which < 16 ? VALUES[which] : which == 16 ? now + 1 : now - 1);
	say(field->name, "is", which < 16 ? VALUES[which] : which == 16 ? now + 1 : now - 1);
	return 1;
}

// The size of a map: of larger ones the kernel would take the memory.
static int fault_of_size(const struct field *field, unsigned which)
{
	static const unsigned VALUES[] = {0, 1, 3, 8, 17, 64, 256, 4095, 4096, 4097, 8192, 0xffffffff};

	if (which >= 12)
		return 0;
	put(field, VALUES[which]);
	say(field->name, "is", VALUES[which]);
	return 1;
}

static int fault_of_name(const struct field *field, unsigned which)
{
	static const char NAMES[][17] = {"a/b", "a b", "aaaaaaaaaaaaaaaa", "\xff", "a.b_c"};

	if (which >= 5)
		return 0;
	memcpy(attr + field->at, NAMES[which], 16);
	say(field->name, "is name", which);
	return 1;
}

static int fault_of_memory(const struct field *field, unsigned which)
{
	static const char *const NAMES[] = {"NULL", "in a hole", "before a hole", "of the kernel", "of nobody", "in the first page", "readable"};
	uint64_t values[] = {0, (uintptr_t)hole, (uintptr_t)hole - 1, LAST_PAGE, 1ull << 47, 8, (uintptr_t)out};

	if (which >= 7)
		return 0;
	put(field, values[which]);
	say(field->name, NAMES[which], 0);
	return 1;
}

static int fault_of_text(const struct field *field, unsigned which)
{
	static char endless[5000];

	if (which < 7)
		return fault_of_memory(field, which);
	if (which > 8)
		return 0;
	memset(endless, 'a', sizeof(endless));
	put(field, (uintptr_t)(which == 7 ? endless : "no such name"));
	say(field->name, which == 7 ? "without end" : "unknown", 0);
	return 1;
}

static int fault_of_path(const struct field *field, unsigned which)
{
	static const char *const PATHS[] = {"", "/", ".", "..", "/tmp", "/dev/null", "/no/such", "no/such", "pin/such", "/no/", "/tmp/a.b", "/dev/null/"};

	if (which < 9)
		return fault_of_text(field, which);
	if (which - 9 >= sizeof(PATHS) / sizeof(*PATHS))
		return 0;
	put(field, (uintptr_t)PATHS[which - 9]);
	say(field->name, PATHS[which - 9], 0);
	return 1;
}

#define CALL_OF(source, number) {.code = BPF_JMP | BPF_CALL, .src_reg = source, .imm = number}
#define LD(source, number, high) {.code = 0x18, .dst_reg = 1, .src_reg = source, .imm = number}, {.imm = high}, MOV0(0), EXIT
#define REGISTER(op, to, from, value) {.code = op, .dst_reg = to, .src_reg = from, .imm = value}, MOV0(0), EXIT
#define LOAD_FROM(from, offset) {.code = BPF_LDX | BPF_MEM | BPF_DW, .src_reg = from, .off = offset}, MOV0(0), EXIT

static int fault_of_body(const struct field *field, unsigned which)
{
	static const struct {
		const char *name;
		unsigned count;
		struct bpf_insn insns[8];
	} BODIES[] = {
		{"without exit", 1, {MOV0(0)}},
		{"without r0", 1, {EXIT}},
		{"with a jump out", 3, {MOV0(0), {.code = BPF_JMP | BPF_JA, .off = 5}, EXIT}},
		{"with a jump before", 3, {MOV0(0), {.code = BPF_JMP | BPF_JA, .off = -9}, EXIT}},
		{"with a jump into a load", 5, {{.code = BPF_JMP | BPF_JA, .off = 1}, LD(0, 0, 0)}},
		{"with a loop", 3, {MOV0(0), {.code = BPF_JMP | BPF_JA, .off = -1}, EXIT}},
		{"with what is not reached", 4, {MOV0(0), EXIT, MOV0(0), EXIT}},
		{"with an unknown opcode", 3, {REGISTER(0xff, 0, 0, 0)}},
		{"with half a load", 1, {{.code = 0x18}}},
		{"with a broken load", 4, {{.code = 0x18}, {.code = 7}, MOV0(0), EXIT}},
		{"with a load of source 9", 4, {LD(9, 0, 0)}},
		{"with a closed map", 4, {LD(1, 999, 0)}},
		{"with a map of a negative fd", 4, {LD(1, -1, 0)}},
		{"with a map that is stdin", 4, {LD(1, 0, 0)}},
		{"with a value of a closed map", 4, {LD(2, 999, 0)}},
		{"with a map by index", 4, {LD(5, 0, 0)}},
		{"with a map by a large index", 4, {LD(5, 5000, 0)}},
		{"with a map by a negative index", 4, {LD(5, -1, 0)}},
		{"with a variable of id 0", 4, {LD(3, 0, 0)}},
		{"with an unknown variable", 4, {LD(3, 0x7ffffff, 0)}},
		{"with a variable of a closed fd", 4, {LD(3, 1, 999)}},
		{"with a callback out of it", 4, {LD(4, 99, 0)}},
		{"with an unknown helper", 3, {CALL_OF(0, 9999), MOV0(0), EXIT}},
		{"with a helper of others", 3, {CALL_OF(0, BPF_FUNC_override_return), MOV0(0), EXIT}},
		{"with a call of source 7", 3, {CALL_OF(7, 0), MOV0(0), EXIT}},
		{"with a function out of it", 3, {CALL_OF(1, 99), MOV0(0), EXIT}},
		{"with a function that is itself", 3, {CALL_OF(1, -1), MOV0(0), EXIT}},
		{"with kfunc 0", 3, {CALL_OF(2, 0), MOV0(0), EXIT}},
		{"with an unknown kfunc", 3, {CALL_OF(2, 0x7ffffff), MOV0(0), EXIT}},
		{"with a kfunc of a module", 3, {{.code = BPF_JMP | BPF_CALL, .src_reg = 2, .off = 1, .imm = 1}, MOV0(0), EXIT}},
		{"with register 12", 3, {REGISTER(BPF_ALU64 | BPF_MOV | BPF_K, 12, 0, 0)}},
		{"with register 9 unset", 3, {REGISTER(BPF_ALU64 | BPF_MOV | BPF_X, 1, 9, 0)}},
		{"with a write to r10", 3, {REGISTER(BPF_ALU64 | BPF_MOV | BPF_K, 10, 0, 0)}},
		{"with a division by 0", 3, {REGISTER(BPF_ALU64 | BPF_DIV | BPF_K, 1, 0, 0)}},
		{"with a shift of 64", 3, {REGISTER(BPF_ALU64 | BPF_LSH | BPF_K, 1, 0, 64)}},
		{"with reserved bits", 3, {REGISTER(BPF_ALU64 | BPF_MOV | BPF_X, 1, 10, 7)}},
		{"with a read above its stack", 3, {LOAD_FROM(10, 8)}},
		{"with a read below its stack", 3, {LOAD_FROM(10, -1024)}},
		{"with a read of r1", 3, {LOAD_FROM(1, 4096)}},
		{"with a read of r2", 3, {LOAD_FROM(2, 0)}},
	};

	if (which < 7)
		return fault_of_memory(field, which);
	if (which - 7 >= sizeof(BODIES) / sizeof(*BODIES))
		return 0;
	put(field, (uintptr_t)BODIES[which - 7].insns);
	memcpy(attr + 4, &BODIES[which - 7].count, 4);
	say(field->name, BODIES[which - 7].name, 0);
	return 1;
}

static int (*const FAULTS[])(const struct field *, unsigned) = {
	[NUMBER] = fault_of_number, [FLAGS] = fault_of_flags,	[CHOICE] = fault_of_choice, [ID] = fault_of_id,	  [FD] = fault_of_fd,
	[COUNT] = fault_of_count,   [NAME] = fault_of_name,	[MEMORY] = fault_of_memory, [TEXT] = fault_of_text, [PATH] = fault_of_path,
	[BODY] = fault_of_body,	[SIZE] = fault_of_size,
};

static int is_field(unsigned at)
{
	for (const struct field *field = call->fields; field < call->fields + FIELDS && field->kind != END; field++)
		if (at >= field->at && at < field->at + field->width)
			return 1;
	return 0;
}

// Faults of the whole call: its size, the address of attr, and bytes that are not zero behind the fields.
static int fault_of_call(unsigned which)
{
	static const unsigned SIZES[] = {0, 4, 6, 8, 10, 12, 14, 16, 20, 24, 40, 64, 96, 120, 144, 168, 192, 256, 4095, 4096, 4097, 65536, 0x7fffffff, 0xffffffff};
	static const unsigned TAILS[] = {0,  1,	 7,   8,   14,	20,  25,  33,  41,  49,	 57,  63,  76,	79,  95,
					 112, 120, 128, 136, 144, 151, 152, 159, 160, 167, 168, 175, 184, 200, 255, 1000, 4095};
	static const char *const ADDRESSES[] = {"NULL", "in a hole", "of the kernel", "before a hole"};

	if (which < 24) {
		size = SIZES[which];
		say("attr", "of size", size);
		return 1;
	}
	if ((which -= 24) < 32) {
		// the first three follow the fields of the command, and the others are at their own places
		unsigned at = which < 3 ? call->size + TAILS[which] : TAILS[which];

		if (!is_field(at)) {
			attr[at] = 1;
			size = at < size ? size : at + 1;
		}
		say("attr", at < call->size ? "with hole" : "with byte", at);
		return 1;
	}
	if ((which -= 32) >= 4)
		return 0;
	// as a copy whose last byte is not there
	memcpy(hole - size + 1, attr, size - 1);
	address = (void *[]){NULL, hole, (void *)LAST_PAGE, hole - size + 1}[which];
	say("attr", ADDRESSES[which], 0);
	return 1;
}

static int fault(unsigned place, unsigned which)
{
	return place == 0 ? fault_of_call(which) : FAULTS[call->fields[place - 1].kind](&call->fields[place - 1], which);
}

static unsigned places(void)
{
	unsigned count = 0;

	while (count < FIELDS && call->fields[count].kind != END)
		count++;
	return count + 1;
}

static void valid(const struct call *of)
{
	call = of;
	address = attr;
	size = of->size;
	memset(attr, 0, 2 * PAGE);
	snprintf(label, sizeof(label), "%s %s", of->command, of->name);
	for (const struct field *field = of->fields; field < of->fields + FIELDS && field->kind != END; field++) {
		if (field->kind != NAME)
			put(field, field->fd ? *field->fd : field->memory ? (uintptr_t)field->memory : field->value);
	}
	// an older kernel does not have the last fields, and an attr without them is valid everywhere
	while (size > 4 && attr[size - 1] == 0 && attr[size - 2] == 0 && attr[size - 3] == 0 && attr[size - 4] == 0)
		size -= 4;
}

static void make(void)
{
	memset(out, 0, sizeof(out));
	if (call->before)
		call->before();
	long result = syscall(SYS_bpf, call->number, address, size);

	printf("%s: %s %ld\n", label, result < 0 ? "errno" : call->gives_fd ? "fd" : "returns", result < 0 ? errno : call->gives_fd ? 0 : result);
	if (result < 0)
		return;
	if (call->gives_fd)
		close(result);
	if (call->after)
		call->after();
	// what is loaded or attached is freed at most 200 times a second
	if (call->gives_fd)
		usleep(5000);
}

int main(int argc, char **argv)
{
	if (argc == 2) {
		for (size_t i = 0; i < NUMBER_OF_CALLS; i++)
			puts(CALLS[i].command);
		return 0;
	}
	state = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15 + 12345;
	unsigned share = atoi(argv[2]), pairs = atoi(argv[3]);

	attr = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	hole = (char *)attr + 3 * PAGE;
	munmap(hole, PAGE);
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up();
	for (size_t i = 0; i < NUMBER_OF_CALLS; i++) {
		valid(&CALLS[i]);
		make();
		for (unsigned place = 0; place < places(); place++)
			for (unsigned which = 0;; which++) {
				valid(&CALLS[i]);
				if (!fault(place, which))
					break;
				if (draw(share) == 0)
					make();
			}
	}
	for (unsigned i = 0; i < pairs; i++) {
		valid(&CALLS[draw(NUMBER_OF_CALLS)]);
		strcat(label, " (two faults)");
		unsigned one = draw(places()), two = draw(places());

		// fewer faults than these are none
		if (one != two && fault(one, draw(20)) && fault(two, draw(20)))
			make();
	}
	tear_down();
	return 0;
}
