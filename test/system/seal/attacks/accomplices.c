#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../../src/seal/guard/interface.h"
#include "accomplice-call.h"
#include "attack.h"
#include "bpf.h"

static void place(enum accomplice which, char *path, size_t size)
{
	snprintf(path, size, "%s/%d", ACCOMPLICES, which);
}

/* A program that makes the call in the element of its map (struct accomplice_call). */
static int load_caller(void)
{
	enum { ATTR = offsetof(struct accomplice_call, attr), CODE = offsetof(struct accomplice_call, code),
	       LICENSE = offsetof(struct accomplice_call, license), RESULT = offsetof(struct accomplice_call, result) };
	struct load how = {.type = BPF_PROG_TYPE_SYSCALL, .flags = BPF_F_SLEEPABLE};
	int map = create_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct accomplice_call), 1, 0);
	return LOAD_CODE(&how, STORE(BPF_W, 10, -4, 0), MOV_REG(2, 10), ADD(2, -4), MAP_FD(1, map),
			 CALL(BPF_FUNC_map_lookup_elem), JUMP_IF_ZERO(0, 15), MOV_REG(6, 0), LOAD(BPF_DW, 7, 6, 0),
			 JUMP_UNLESS(7, BPF_PROG_LOAD, 6), MOV_REG(1, 6), ADD(1, CODE), STORE_REG(BPF_DW, 6, 1, ATTR + 8),
			 MOV_REG(1, 6), ADD(1, LICENSE), STORE_REG(BPF_DW, 6, 1, ATTR + 16), MOV_REG(1, 7), MOV_REG(2, 6),
			 ADD(2, ATTR), MOV(3, sizeof(union bpf_attr)), CALL(BPF_FUNC_sys_bpf),
			 STORE_REG(BPF_DW, 6, 0, RESULT), MOV(0, 0), EXIT);
}

/* A program that writes, as WRITE_ELEMENTS does, the map in its map of maps; that map has the form of guard_status. */
static int load_writer_of_inner(void)
{
	struct load how = {.type = BPF_PROG_TYPE_SOCKET_FILTER};
	union bpf_attr attr = {0};
	attr.map_type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	attr.inner_map_fd = create_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct guard_status), 1, 0);
	int outer = bpf(BPF_MAP_CREATE, &attr, sizeof attr);
	return LOAD_CODE(&how, STORE(BPF_W, 10, -4, 0), MOV_REG(2, 10), ADD(2, -4), MAP_FD(1, outer),
			 CALL(BPF_FUNC_map_lookup_elem), JUMP_IF_ZERO(0, 9), MOV_REG(1, 0), MOV_REG(2, 10), ADD(2, -4),
			 CALL(BPF_FUNC_map_lookup_elem), JUMP_IF_ZERO(0, 4), STORE(BPF_W, 0, 4, GUARD_MODE_AUDIT),
			 STORE(BPF_W, 0, 8, 0), MOV(0, 1), EXIT, MOV(0, 0), EXIT);
}

static int load_accomplice(enum accomplice which)
{
	struct load on_loads = {.type = BPF_PROG_TYPE_LSM,
				.attach_type = BPF_LSM_CGROUP,
				.attach_btf_id = kernel_function("bpf_lsm_bpf_prog_load")};
	struct load on_sysctl = {.type = BPF_PROG_TYPE_CGROUP_SYSCTL, .attach_type = BPF_CGROUP_SYSCTL};
	struct load iterator = {.type = BPF_PROG_TYPE_TRACING,
				.attach_type = BPF_TRACE_ITER,
				.attach_btf_id = kernel_function("bpf_iter_bpf_map_elem")};
	struct load filter = {.type = BPF_PROG_TYPE_SOCKET_FILTER};
	switch (which) {
	case ALLOW_LOADS:
		return LOAD_CODE(&on_loads, MOV(0, 1), EXIT);
	case OVERRIDE_LOADS:
		return LOAD_CODE(&on_loads, MOV(1, 0), CALL(BPF_FUNC_set_retval), MOV(0, 1), EXIT);
	case OVERRIDE_SYSCTL:
		return LOAD_CODE(&on_sysctl, MOV(1, 0), CALL(BPF_FUNC_set_retval), MOV(0, 1), EXIT);
	case WRITE_ELEMENTS:
		/* the element is ctx->value; the first 12 bytes of struct guard_status are version, mode and state */
		return LOAD_CODE(&iterator, LOAD(BPF_DW, 2, 1, 24), JUMP_IF_ZERO(2, 2), STORE(BPF_W, 2, 4, 1),
				 STORE(BPF_W, 2, 8, 0), MOV(0, 0), EXIT);
	case DROP_PACKETS:
	case SPARE:
		return LOAD_CODE(&filter, MOV(0, 0), EXIT);
	case CALL_NEXT:
		return LOAD_CODE(&filter, MAP_FD(2, create_map(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 1, 0)), MOV(3, 0),
				 CALL(BPF_FUNC_tail_call), MOV(0, 1), EXIT);
	case MAKE_CALL:
		return load_caller();
	case WRITE_INNER:
		return load_writer_of_inner();
	default:
		errno = EINVAL;
		return -1;
	}
}

int accomplice(enum accomplice which)
{
	char path[64];
	union bpf_attr attr = {0};
	place(which, path, sizeof path);
	attr.pathname = (uintptr_t)path;
	int program = bpf(BPF_OBJ_GET, &attr, sizeof attr);
	return program >= 0 || errno != ENOENT ? program : load_accomplice(which);
}

void forget(enum accomplice which)
{
	char path[64];
	place(which, path, sizeof path);
	unlink(path);
}

void prepare(void)
{
	mkdir(ACCOMPLICES, 0700);
	if (mount("bpf", ACCOMPLICES, "bpf", 0, NULL))
		perror("accomplices");
	for (enum accomplice which = 0; which < ACCOMPLICE_COUNT; which++) {
		char path[64];
		union bpf_attr attr = {0};
		place(which, path, sizeof path);
		attr.pathname = (uintptr_t)path;
		attr.bpf_fd = load_accomplice(which);
		if (bpf(BPF_OBJ_PIN, &attr, sizeof attr))
			perror(path);
	}
	/* with flags 0 a cgroup of its own would not run the programs of the root */
	int root = root_cgroup();
	mkdirat(root, "accomplices", 0755);
	if (attach(openat(root, "accomplices", O_RDONLY | O_DIRECTORY), accomplice(ALLOW_LOADS), BPF_LSM_CGROUP, 0))
		perror("attach");
}
