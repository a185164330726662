#include "bpf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int bpf(unsigned int command, union bpf_attr *attr, unsigned int size)
{
	/* struct bpf_common_attr, which the kernel reads if the command has bit 16 */
	static const struct {
		uint64_t log;
		uint32_t log_size;
		uint32_t log_level;
		uint32_t log_true_size;
		uint32_t padding;
	} common;
	return syscall(SYS_bpf, command, attr, size, &common, 20);
}

int load(const struct load *how, const struct bpf_insn *code, size_t count)
{
	union bpf_attr attr = {0};
	attr.prog_type = how->type;
	attr.expected_attach_type = how->attach_type;
	attr.attach_btf_id = how->attach_btf_id;
	attr.attach_prog_fd = how->attach_prog_fd;
	attr.prog_flags = how->flags;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = count;
	attr.license = (uintptr_t) "GPL";
	if (how->token_fd) {
		attr.prog_flags |= BPF_F_TOKEN_FD;
		attr.prog_token_fd = how->token_fd;
	}
	return bpf(BPF_PROG_LOAD, &attr, sizeof attr);
}

int create_map(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags)
{
	union bpf_attr attr = {0};
	attr.map_type = type;
	attr.key_size = key;
	attr.value_size = value;
	attr.max_entries = entries;
	attr.map_flags = flags;
	return bpf(BPF_MAP_CREATE, &attr, sizeof attr);
}

int attach(int cgroup, int program, uint32_t attach_type, uint32_t flags)
{
	union bpf_attr attr = {0};
	attr.target_fd = cgroup;
	attr.attach_bpf_fd = program;
	attr.attach_type = attach_type;
	attr.attach_flags = flags;
	return bpf(BPF_PROG_ATTACH, &attr, sizeof attr);
}

int detach(int cgroup, int program, uint32_t attach_type)
{
	union bpf_attr attr = {0};
	attr.target_fd = cgroup;
	attr.attach_bpf_fd = program;
	attr.attach_type = attach_type;
	return bpf(BPF_PROG_DETACH, &attr, sizeof attr);
}

int link_cgroup(int cgroup, int program, uint32_t attach_type)
{
	union bpf_attr attr = {0};
	attr.link_create.prog_fd = program;
	attr.link_create.target_fd = cgroup;
	attr.link_create.attach_type = attach_type;
	return bpf(BPF_LINK_CREATE, &attr, sizeof attr);
}

int fd_by_id(unsigned int command, uint32_t id, uint32_t open_flags)
{
	union bpf_attr attr = {0};
	attr.prog_id = id;
	attr.open_flags = open_flags;
	return bpf(command, &attr, sizeof attr);
}

int map_of(int program)
{
	struct bpf_prog_info info = {0};
	uint32_t id = 0;
	union bpf_attr attr = {0};
	info.nr_map_ids = 1;
	info.map_ids = (uintptr_t)&id;
	attr.info.bpf_fd = program;
	attr.info.info_len = sizeof info;
	attr.info.info = (uintptr_t)&info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr) ? -1 : fd_by_id(BPF_MAP_GET_FD_BY_ID, id, 0);
}

uint32_t next_id(unsigned int command, uint32_t after)
{
	union bpf_attr attr = {0};
	attr.start_id = after;
	return bpf(command, &attr, sizeof attr) ? 0 : attr.next_id;
}

int query(int cgroup, uint32_t attach_type, uint32_t *ids, uint32_t count)
{
	union bpf_attr attr = {0};
	uint32_t flags[64];
	if (count > 64)
		count = 64;
	attr.query.target_fd = cgroup;
	attr.query.attach_type = attach_type;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = count;
	/* the kernel wants it for BPF_LSM_CGROUP */
	attr.query.prog_attach_flags = (uintptr_t)flags;
	return bpf(BPF_PROG_QUERY, &attr, sizeof attr) ? -1 : (int)attr.query.prog_cnt;
}

/* Of include/uapi/linux/btf.h. */
struct type {
	uint32_t name;
	uint32_t info;
	uint32_t size;
};
struct header {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t header_size;
	uint32_t types;
	uint32_t types_size;
	uint32_t names;
	uint32_t names_size;
};

/* The bytes that follow struct type, by its kind. */
static size_t rest(uint32_t kind, uint32_t members)
{
	switch (kind) {
	case 1: /* int */
	case 14: /* var */
	case 17: /* decl_tag */
		return 4;
	case 3: /* array */
		return 12;
	case 4: /* struct */
	case 5: /* union */
	case 15: /* datasec */
	case 19: /* enum64 */
		return 12 * members;
	case 6: /* enum */
	case 13: /* func_proto */
		return 8 * members;
	default:
		return 0;
	}
}

static const char *read_btf(size_t *size)
{
	static char *data;
	static size_t known;
	if (!data) {
		int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
		struct stat status;
		if (fd < 0 || fstat(fd, &status))
			return NULL;
		data = malloc(status.st_size);
		for (ssize_t got; (got = read(fd, data + known, status.st_size - known)) > 0;)
			known += got;
		close(fd);
	}
	*size = known;
	return data;
}

static uint32_t kernel_type(const char *name, uint32_t wanted)
{
	size_t size;
	const char *data = read_btf(&size);
	if (!data)
		return 0;
	const struct header *header = (const void *)data;
	const char *types = data + header->header_size + header->types;
	const char *names = data + header->header_size + header->names;
	uint32_t id = 1;
	for (size_t at = 0; at < header->types_size; id++) {
		const struct type *type = (const void *)(types + at);
		uint32_t kind = type->info >> 24 & 31;
		if (kind == wanted && strcmp(names + type->name, name) == 0)
			return id;
		at += sizeof *type + rest(kind, type->info & 0xffff);
	}
	return 0;
}

uint32_t kernel_function(const char *name)
{
	return kernel_type(name, 12);
}

uint32_t kernel_struct(const char *name)
{
	return kernel_type(name, 4);
}
