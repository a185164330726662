#define _GNU_SOURCE
#include "real-kernel.h"
#include "kernel-objects.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(int command, union bpf_attr *attr, uint32_t size)
{
	// not syscall(3), which fake-kernel.c has replaced
	long result;
	register long r10 __asm__("r10");

	__asm__ volatile("syscall"
			 : "=a"(result), "=r"(r10)
			 : "a"(SYS_bpf), "D"(command), "S"(attr), "d"(size)
			 : "rcx", "r11", "memory");
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

static int64_t id_behind(int fd, enum kind kind)
{
	static const char *const links[] = {[MAP] = "anon_inode:bpf-map", [PROGRAM] = "anon_inode:bpf-prog", [BTF] = "anon_inode:btf"};
	union {
		struct bpf_map_info map;
		struct bpf_prog_info program;
		struct bpf_btf_info btf;
	} info = {};
	union bpf_attr attr = {};
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, link, sizeof(link) - 1) < 0 || strcmp(link, links[kind]))
		return -1;
	attr.info.bpf_fd = fd;
	attr.info.info_len = kind == MAP ? sizeof(info.map) : kind == BTF ? sizeof(info.btf) : sizeof(info.program);
	attr.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) < 0)
		return -1;
	return kind == MAP ? info.map.id : kind == BTF ? info.btf.id : info.program.id;
}

static int create_map(union bpf_attr *attr)
{
	char name[BPF_OBJ_NAME_LEN + 1] = "";
	int fd = bpf(BPF_MAP_CREATE, attr, attr_size);

	if (fd < 0)
		return fd;
	memcpy(name, attr->map_name, BPF_OBJ_NAME_LEN);
	struct object *map = new_object(MAP, next_map_number(attr), name);
	map->kernel_id = id_behind(fd, MAP);
	record_map(map, attr);
	return fd;
}

static int load_btf(union bpf_attr *attr)
{
	uint32_t id = next_btf_id();
	int fd = bpf(BPF_BTF_LOAD, attr, attr_size);

	if (fd < 0)
		return fd;
	new_object(BTF, id, "object")->kernel_id = id_behind(fd, BTF);
	record_btf(id, (void *)attr->btf, attr->btf_size);
	return fd;
}

// Notes the names of the kernel's BTF objects.
static int btf_by_id(union bpf_attr *attr)
{
	int fd = bpf(BPF_BTF_GET_FD_BY_ID, attr, attr_size);
	char name[64] = "";
	struct bpf_btf_info info = {.name = (uintptr_t)name, .name_len = sizeof(name)};
	union bpf_attr query = {};

	if (fd < 0)
		return fd;
	query.info.bpf_fd = fd;
	query.info.info_len = sizeof(info);
	query.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &query, sizeof(query)) == 0 && info.kernel_btf)
		new_object(BTF, info.id, name)->kernel_id = info.id;
	return fd;
}

// The BTF of a program that stands for one whose function is replaced.
static int info(union bpf_attr *attr)
{
	struct object *program = behind(attr->info.bpf_fd, PROGRAM);

	if (!program)
		return bpf(BPF_OBJ_GET_INFO_BY_FD, attr, attr_size);
	struct bpf_prog_info *to = (void *)attr->info.info;
	memset(to, 0, attr->info.info_len);
	to->btf_id = program->id;
	return 0;
}

// Whether a command is about a program that was written down and not loaded.
static bool has_recorded_program(int command, union bpf_attr *attr)
{
	switch (command) {
	case BPF_PROG_BIND_MAP:
		return behind(attr->prog_bind_map.prog_fd, PROGRAM);
	case BPF_OBJ_PIN:
		return behind(attr->bpf_fd, PROGRAM);
	case BPF_MAP_UPDATE_ELEM:
		return attr->value && behind(*(int *)attr->value, PROGRAM);
	default:
		return false;
	}
}

static int pass_on(int command, union bpf_attr *attr)
{
	const char *name;
	struct object *map;

	if (has_recorded_program(command, attr))
		return 0;
	switch (command) {
	case BPF_MAP_CREATE:
		return create_map(attr);
	case BPF_MAP_UPDATE_ELEM:
		map = behind(attr->map_fd, MAP);
		if (map)
			record_update(map, attr);
		return bpf(command, attr, attr_size);
	case BPF_PROG_LOAD:
		name = program_name(attr);
		return name ? record_program(name, attr) : bpf(command, attr, attr_size);
	case BPF_BTF_LOAD:
		return load_btf(attr);
	case BPF_BTF_GET_FD_BY_ID:
		return btf_by_id(attr);
	case BPF_OBJ_GET_INFO_BY_FD:
		return info(attr);
	default:
		return bpf(command, attr, attr_size);
	}
}

void real_kernel_enter(void)
{
	fake_kernel_passes_on = pass_on;
	fake_kernel_id_behind = id_behind;
}

int real_kernel_program(const void *data, uint32_t size)
{
	union bpf_attr attr = {.btf = (uintptr_t)data, .btf_size = size};

	attr_size = sizeof(attr);
	int fd = load_btf(&attr);

	return new_fd(PROGRAM, fd < 0 ? 0 : id_behind(fd, BTF), "target");
}
