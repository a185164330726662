// light: loads a light skeleton as its own code does, but with a map that is exclusive to the loader and frozen, as Linux 6.18 can have
// it. DIGEST is the SHA-256 of the loader; CHANGE changes the last byte of what it will load; with PRINT both are only printed, as hex.
#include "bpf.h"
#include <bpf/skel_internal.h>

static int frozen_load_and_run(struct bpf_load_and_run_opts *opts);
#define bpf_load_and_run frozen_load_and_run
#include "light.skel.h"

static void print(const char *what, const uint8_t *bytes, unsigned count)
{
	printf("%s: ", what);
	for (unsigned i = 0; i < count; i++)
		printf("%02x", bytes[i]);
	printf("\n");
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
	if (getenv("CHANGE"))
		data[opts->data_sz - 1] ^= 1;
	it.newer.hash = (uintptr_t)digest;
	it.newer.size = sizeof(digest);
	map = bpf(BPF_MAP_CREATE, &it, 96);
	attr = (union bpf_attr){.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)data};
	if (map < 0 || bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
		return -errno;
	attr = (union bpf_attr){.map_fd = map};
	if (!getenv("THAWED") && bpf(BPF_MAP_FREEZE, &attr, sizeof(attr)))
		return -errno;
	fill(&attr, opts->insns, opts->insns_sz / sizeof(struct bpf_insn));
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	attr.fd_array = (uintptr_t)&map;
	prog = bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
	if (prog < 0)
		return -errno;
	attr = (union bpf_attr){.test = {.prog_fd = prog, .ctx_in = (uintptr_t)opts->ctx, .ctx_size_in = opts->ctx->sz}};
	if (bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		return -errno;
	return (int)attr.test.retval < 0 ? (int)attr.test.retval : 0;
}

int main(void)
{
	struct light *skeleton = light__open();
	int result = light__load(skeleton);

	if (getenv("PRINT"))
		return 0;
	if (result)
		printf("errno %d\n", -result);
	else
		printf("%s\n", light__attach(skeleton) >= 0 ? "attached" : "loaded");
	return 0;
}
