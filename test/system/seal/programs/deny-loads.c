/*
 * Has the kernel deny each load of a BPF program by a task of a cgroup, as rules do that are for one cgroup only:
 *
 *   deny-loads CGROUP
 *
 * It attaches an lsm_cgroup program, which stays as long as the cgroup.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "../attacks/bpf.c"

int main(int argc, char **argv)
{
	struct load how = {.type = BPF_PROG_TYPE_LSM,
			   .attach_type = BPF_LSM_CGROUP,
			   .attach_btf_id = kernel_function("bpf_lsm_bpf_prog_load")};
	int cgroup = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	int program = LOAD_CODE(&how, MOV(0, 0), EXIT);

	if (attach(cgroup, program, BPF_LSM_CGROUP, 0) == 0)
		return 0;
	printf("deny-loads: %s\n", strerror(errno));
	return 1;
}
