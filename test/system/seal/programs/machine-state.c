/* Prints what a guard leaves in the kernel: ids of BPF objects, and programs on the root cgroup. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long call(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void print_ids(const char *kind, int command)
{
	union bpf_attr attr;
	uint32_t id = 0;
	printf("%s:", kind);
	for (;;) {
		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (call(command, &attr) != 0)
			break;
		id = attr.next_id;
		printf(" %u", id);
	}
	printf("\n");
}

static void print_attached(const char *kind, uint32_t type)
{
	union bpf_attr attr;
	uint32_t programs[64] = {0}, flags[64] = {0};
	int cgroup = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = cgroup;
	attr.query.attach_type = type;
	attr.query.prog_ids = (uintptr_t)programs;
	if (type == BPF_LSM_CGROUP)
		attr.query.prog_attach_flags = (uintptr_t)flags;
	attr.query.prog_cnt = 64;
	long result = call(BPF_PROG_QUERY, &attr);
	printf("%s:", kind);
	for (uint32_t i = 0; result == 0 && i < attr.query.prog_cnt; i++)
		printf(" %u", programs[i]);
	printf(result == 0 ? "\n" : " unknown\n");
	close(cgroup);
}

int main(void)
{
	print_ids("programs", BPF_PROG_GET_NEXT_ID);
	print_ids("maps", BPF_MAP_GET_NEXT_ID);
	print_ids("links", BPF_LINK_GET_NEXT_ID);
	print_ids("btf", BPF_BTF_GET_NEXT_ID);
	print_attached("on the root cgroup, lsm", BPF_LSM_CGROUP);
	print_attached("on the root cgroup, sysctl", BPF_CGROUP_SYSCTL);
	return 0;
}
