// naive COMMAND…: a gate as it must not be. It looks at the instructions in the task's memory and then tells the kernel to
// go on, so that the kernel reads them again. It is here to show that the race of race.c is real.
#include "bpf.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int install(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static int pass_fd(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};

	if (fd >= 0) {
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(int));
		return sendmsg(socket, &message, 0);
	}
	if (recvmsg(socket, &message, 0) != 1)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

static int copy(pid_t pid, uint64_t from, void *to, size_t size)
{
	struct iovec here = {to, size}, there = {(void *)from, size};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

// What the policy of the tests refuses, as far as a race of its own kind is concerned.
static int refuses(const union bpf_attr *attr, pid_t pid)
{
	struct bpf_insn insns[2];

	if (attr->prog_type == BPF_PROG_TYPE_XDP || !copy(pid, attr->insns, insns, sizeof(insns)))
		return 1;
	return memcmp(insns, BAD, sizeof(BAD)) == 0;
}

int main(int argc, char **argv)
{
	int pair[2], listener;
	pid_t child;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	child = fork();
	if (child == 0) {
		pass_fd(pair[1], install());
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	listener = pass_fd(pair[0], -1);
	for (;;) {
		struct seccomp_notif request = {};
		struct seccomp_notif_resp response = {};
		union bpf_attr attr = {};

		if (waitpid(child, NULL, WNOHANG) == child)
			return 0;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
			continue;
		response.id = request.id;
		response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (request.data.args[0] == BPF_PROG_LOAD &&
		    (!copy(request.pid, request.data.args[1], &attr, sizeof(attr)) || refuses(&attr, request.pid))) {
			response.flags = 0;
			response.error = -EPERM;
		}
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
}
