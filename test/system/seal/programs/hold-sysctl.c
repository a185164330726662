/*
 * Attaches a program that allows every sysctl to the root cgroup, with BPF_F_ALLOW_MULTI only if the first argument is
 * --multi, runs a command, and detaches the program again.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long call(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int main(int argc, char **argv)
{
	int multi = argc > 1 && strcmp(argv[1], "--multi") == 0;
	struct bpf_insn insns[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_SYSCTL;
	attr.expected_attach_type = BPF_CGROUP_SYSCTL;
	attr.insns = (uintptr_t)insns;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t)"GPL";
	int program = call(BPF_PROG_LOAD, &attr);
	int cgroup = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = cgroup;
	attr.attach_bpf_fd = program;
	attr.attach_type = BPF_CGROUP_SYSCTL;
	attr.attach_flags = multi ? BPF_F_ALLOW_MULTI : 0;
	if (argc < 2 || program < 0 || call(BPF_PROG_ATTACH, &attr) != 0) {
		perror("hold-sysctl");
		return 2;
	}
	pid_t child = fork();
	if (child == 0) {
		execvp(argv[1 + multi], argv + 1 + multi);
		_exit(127);
	}
	int status;
	waitpid(child, &status, 0);
	attr.attach_flags = 0;
	if (call(BPF_PROG_DETACH, &attr) != 0)
		perror("hold-sysctl: detach");
	return 0;
}
