// Prints for each loaded program how many instructions the verifier looked at, paths of branches included: `NAME COUNT`.
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(void)
{
	union bpf_attr next = {0};

	while (bpf(BPF_PROG_GET_NEXT_ID, &next) == 0) {
		union bpf_attr attr = {.prog_id = next.next_id};
		struct bpf_prog_info info = {0};

		next.start_id = next.next_id;
		int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
		attr = (union bpf_attr){.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)&info}};
		if (fd >= 0 && bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0)
			printf("%s %u\n", info.name, info.verified_insns);
		close(fd);
	}
	return 0;
}
