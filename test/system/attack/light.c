// light: loads a light skeleton as its own code does, but with a map that is exclusive to the loader and frozen, as
// Linux 6.18 can have it. DIGEST is the SHA-256 of the loader; CHANGE changes the last byte of what it will load; with
// PRINT both are only printed, as hex. PLAIN: the map is as libbpf makes it, or with FROZEN frozen. AFTER: what the
// loader will load is made into another program (r0 = 1) once the loader is loaded, by BPF_MAP_UPDATE_ELEM; ITERATE: by
// a command that writes to the map that it finds pinned at $MAP. TRIES: so many loads, while a thread writes both to
// each map there is, also between each load of the loader and its run. FIND: looks for the loader's map by its id. With TAG it prints the tag of what was loaded.
// Compiled with -DUNMODIFIED it loads by the skeleton's own code.
#include "bpf.h"
#include <bpf/skel_internal.h>
#include <sched.h>

static int frozen_load_and_run(struct bpf_load_and_run_opts *opts);
#ifndef UNMODIFIED
#define bpf_load_and_run frozen_load_and_run
#endif
#include "light.skel.h"

static void print(const char *what, const uint8_t *bytes, unsigned count)
{
	printf("%s: ", what);
	for (unsigned i = 0; i < count; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static const struct bpf_insn WANTED[2] = {MOV0(0), EXIT};
static const void *blob;
static unsigned blob_size;
static volatile int racing;
static volatile unsigned passes;
static uint64_t wanted_tag;

// The same bytes with another program in them.
static char *altered(const void *data, unsigned size)
{
	char *copy = malloc(size), *at;

	memcpy(copy, data, size);
	at = memmem(copy, size, WANTED, sizeof(WANTED));
	if (!at)
		exit(3);
	((struct bpf_insn *)at)->imm = 1;
	return copy;
}

static long update(int map, const void *data)
{
	uint32_t key = 0;
	union bpf_attr attr = {.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)data};

	return bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

static void *write_on(void *unused)
{
	char *other = altered(blob, blob_size);

	// other numbers are no maps of this size
	for (; racing; passes++)
		for (int map = 3; map < 8; map++) {
			update(map, other);
			update(map, blob);
		}
	return unused;
}

// The thread that writes has been at each map once more, on a busy machine too.
static void let_it_write(void)
{
	for (unsigned before = passes; passes - before < 2;)
		sched_yield();
}

static void iterate(int map)
{
	union bpf_attr attr = {.pathname = (uintptr_t)getenv("MAP"), .bpf_fd = map};

	if (bpf(BPF_OBJ_PIN, &attr, sizeof(attr)) || system(getenv("ITERATE")))
		printf("not written\n");
	unlink(getenv("MAP"));
}

static void find(int prog)
{
	struct bpf_prog_info info = {};
	uint32_t id = 0;
	union bpf_attr attr = {.info = {.bpf_fd = prog, .info_len = sizeof(info), .info = (uintptr_t)&info}};

	info.nr_map_ids = 1;
	info.map_ids = (uintptr_t)&id;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) || !id)
		exit(4);
	attr = (union bpf_attr){.map_id = id};
	printf("found: %d\n", bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr)) >= 0 ? 0 : errno);
}

static int frozen_load_and_run(struct bpf_load_and_run_opts *opts)
{
	union { union bpf_attr attr; struct { char before[80]; uint64_t hash; uint32_t size; } newer; } it = {
		.attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = opts->data_sz, .max_entries = 1, .map_name = "__loader.map"}};
	char *data = malloc(opts->data_sz);
	uint8_t digest[32];
	union bpf_attr attr;
	uint32_t key = 0;
	int map, prog;

	memcpy(data, opts->data, opts->data_sz);
	if (getenv("PRINT")) {
		print("insns", opts->insns, opts->insns_sz);
		print("data", opts->data, opts->data_sz);
		return 0;
	}
	for (int i = 0; i < 32; i++)
		sscanf(getenv("DIGEST") + 2 * i, "%2hhx", &digest[i]);
	blob = opts->data;
	blob_size = opts->data_sz;
	if (getenv("CHANGE"))
		data[opts->data_sz - 1] ^= 1;
	if (!getenv("PLAIN")) {
		it.newer.hash = (uintptr_t)digest;
		it.newer.size = sizeof(digest);
	}
	map = bpf(BPF_MAP_CREATE, &it, 96);
	attr = (union bpf_attr){.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)data};
	if (map < 0 || bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
		return -errno;
	attr = (union bpf_attr){.map_fd = map};
	if (!getenv("THAWED") && (!getenv("PLAIN") || getenv("FROZEN")) && bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)))
		return -errno;
	fill(&attr, opts->insns, opts->insns_sz / sizeof(struct bpf_insn));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.fd_array = (uintptr_t)&map;
	prog = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0) {
		int error = errno;

		close(map);
		return -error;
	}
	if (getenv("AFTER") && update(map, altered(opts->data, opts->data_sz)))
		printf("not written\n");
	if (getenv("ITERATE"))
		iterate(map);
	if (getenv("FIND"))
		find(prog);
	if (racing)
		let_it_write();
	attr = (union bpf_attr){.test = {.prog_fd = prog, .ctx_in = (uintptr_t)opts->ctx, .ctx_size_in = opts->ctx->sz}};
	if (bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		return -errno;
	close(prog);
	close(map);
	return (int)attr.test.retval < 0 ? (int)attr.test.retval : 0;
}

static int race(int tries)
{
	int wanted = 0, other = 0, refused = 0;
	pthread_t writer;

	for (int i = 0; i < tries; i++) {
		struct light *skeleton = light__open();
		int result;

		if (!racing) {
			racing = 1;
			pthread_create(&writer, NULL, write_on, NULL);
		}
		result = light__load(skeleton);
		if (result)
			refused++;
		else if (tag_of(skeleton->progs.pass.prog_fd) == wanted_tag)
			wanted++;
		else
			other++;
		light__destroy(skeleton);
	}
	racing = 0;
	printf("wanted: %d\nother: %d\nrefused: %d\n", wanted, other, refused);
	return 0;
}

int main(void)
{
	struct light *skeleton = light__open();
	int result = light__load(skeleton);
	uint64_t tag;

	if (getenv("PRINT"))
		return 0;
	if (result) {
		printf("errno %d\n", -result);
		return 0;
	}
	tag = tag_of(skeleton->progs.pass.prog_fd);
	if (getenv("TRIES")) {
		wanted_tag = tag;
		return race(atoi(getenv("TRIES")));
	}
	if (getenv("TAG"))
		printf("tag: %016llx\n", (unsigned long long)__builtin_bswap64(tag));
	printf("%s\n", light__attach(skeleton) >= 0 ? "attached" : "loaded");
	return 0;
}
