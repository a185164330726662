// bpf(2) as the tests call it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loads.h"

int bpf(int command, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (int)result;
}

int create_map(const struct map *map)
{
	union bpf_attr attr = {.map_type = map->type, .key_size = map->key_size, .value_size = map->value_size,
			       .max_entries = map->max_entries, .map_flags = map->flags};
	uint32_t first = 0;
	int fd;

	if (map->inner_value_size) {
		struct map inner = {BPF_MAP_TYPE_ARRAY, 4, map->inner_value_size, 1, 0};

		attr.inner_map_fd = create_map(&inner);
	}
	fd = bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0)
		return fd;
	if (map->contents[0]) {
		union bpf_attr update = {.map_fd = fd, .key = (uint64_t)&first, .value = (uint64_t)map->contents};

		bpf(BPF_MAP_UPDATE_ELEM, &update);
	}
	if (map->frozen) {
		union bpf_attr freeze = {.map_fd = fd};

		bpf(BPF_MAP_FREEZE, &freeze);
	}
	return fd;
}

uint32_t btf_id(const char *function)
{
	static uint8_t *bytes;
	static size_t size;

	if (!bytes) {
		int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
		ssize_t got;

		bytes = malloc(32 << 20);
		while ((got = read(fd, bytes + size, 1 << 20)) > 0)
			size += got;
		close(fd);
	}
	const struct btf_header *header = (void *)bytes;
	const char *strings = (char *)bytes + header->hdr_len + header->str_off;
	const uint8_t *at = bytes + header->hdr_len + header->type_off, *end = at + header->type_len;
	static const uint8_t SIZES[] = {[BTF_KIND_INT] = 4, [BTF_KIND_ARRAY] = 12, [BTF_KIND_VAR] = 4, [BTF_KIND_DECL_TAG] = 4,
					[BTF_KIND_ENUM64] = 0};
	static const uint8_t EACH[] = {[BTF_KIND_STRUCT] = 12, [BTF_KIND_UNION] = 12, [BTF_KIND_ENUM] = 8,
				       [BTF_KIND_FUNC_PROTO] = 8, [BTF_KIND_DATASEC] = 12, [BTF_KIND_ENUM64] = 12};

	for (uint32_t id = 1; at < end; id++) {
		const struct btf_type *type = (const void *)at;
		uint32_t kind = BTF_INFO_KIND(type->info), count = BTF_INFO_VLEN(type->info);

		if (kind == BTF_KIND_FUNC && strcmp(strings + type->name_off, function) == 0)
			return id;
		at += sizeof(*type) + SIZES[kind] + (kind < sizeof(EACH) ? EACH[kind] * count : 0);
	}
	return 0;
}

int pass_program(const struct load *load, const int *fds, const struct bpf_insn *insns)
{
	const struct program *program = &load->program;
	static char log[1 << 16];
	union bpf_attr attr = {.prog_type = program->type, .expected_attach_type = program->attach_type,
			       .insns = (uint64_t)insns, .insn_cnt = program->count, .license = (uint64_t)program->license,
			       .prog_flags = program->flags, .core_relo_cnt = load->core_relos};
	uint32_t relos[8] = {0};

	if (program->target)
		attr.attach_btf_id = btf_id(program->target);
	if (load->core_relos) {
		attr.core_relos = (uint64_t)relos;
		attr.core_relo_rec_size = 16;
	}
	if (load->indexed)
		attr.fd_array = (uint64_t)fds;
	// fd_array_cnt follows prog_token_fd; the headers of the build machine may lack it
	memcpy((char *)&attr + 148, &load->fd_array_cnt, 4);
	if (getenv("LOG")) {
		attr.log_buf = (uint64_t)log;
		attr.log_size = sizeof(log);
		attr.log_level = 1;
	}
	long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, load->fd_array_cnt ? 152 : sizeof(attr));
	int error = fd < 0 ? -errno : (int)fd;

	if (getenv("LOG"))
		fprintf(stderr, "%s\n", log);
	return error;
}

static void *wait_long(void *unused)
{
	pause();
	return unused;
}

void prepare_program(const struct load *load, struct prepared *prepared)
{
	const struct program *program = &load->program;

	memcpy(prepared->insns, program->insns, sizeof(prepared->insns));
	for (uint32_t i = 0; i < program->map_count; i++)
		prepared->fds[i] = i == 1 && load->doubled ? dup(prepared->fds[0]) : create_map(&program->maps[i]);
	for (uint32_t i = 0; i + 1 < program->count; i++) {
		struct bpf_insn *insn = &prepared->insns[i];

		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE)
			insn->imm = prepared->fds[insn->imm];
		i++;
	}
	if (load->threaded)
		pthread_create(&prepared->thread, NULL, wait_long, NULL);
}

void release_program(const struct load *load, const struct prepared *prepared)
{
	if (load->threaded) {
		pthread_cancel(prepared->thread);
		pthread_join(prepared->thread, NULL);
	}
	for (uint32_t i = 0; i < load->program.map_count; i++)
		close(prepared->fds[i]);
}

int load_program(const struct load *load)
{
	struct prepared prepared;
	int result;

	prepare_program(load, &prepared);
	result = pass_program(load, prepared.fds, prepared.insns);
	release_program(load, &prepared);
	return result;
}
