// floor COMMAND…: what no gate can do without: it copies a BPF_PROG_LOAD, loads the copy and hands its fd out, and
// judges nothing.
#include "../../test/system/attack/gate.h"
#include <fcntl.h>
#include <sys/epoll.h>

#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static struct bpf_insn insns[4096];
static char license[128];

// An fd for the task, or a negative errno.
static int carry_out(const struct seccomp_notif *request, int listener)
{
	union bpf_attr attr = {};
	size_t size = request->data.args[2];
	int fd;

	if (size > sizeof(attr) || !copy(request->pid, request->data.args[1], &attr, size) || attr.insn_cnt > 4096 ||
	    !copy(request->pid, attr.insns, insns, attr.insn_cnt * sizeof(*insns)) ||
	    !copy(request->pid, attr.license, license, sizeof("GPL")) ||
	    ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request->id))
		return -EFAULT;
	attr.insns = (uintptr_t)insns;
	attr.license = (uintptr_t)license;
	fd = bpf(BPF_PROG_LOAD, &attr, size);
	return fd < 0 ? -errno : fd;
}

int main(int argc, char **argv)
{
	pid_t child;
	int listener = listener_of(argv + 1, &child, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), poll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};

	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		struct seccomp_notif request = {};
		struct seccomp_notif_resp response = {};
		struct seccomp_notif_addfd answer = {.flags = SECCOMP_ADDFD_FLAG_SEND, .newfd_flags = O_CLOEXEC};
		int fd;

		epoll_wait(poll, &event, 1, -1);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request))
			return waitpid(child, NULL, 0) != child;
		fd = request.data.args[0] == BPF_PROG_LOAD ? carry_out(&request, listener) : -EPERM;
		if (fd < 0) {
			response.id = request.id;
			response.error = fd;
			ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
			continue;
		}
		answer.id = request.id;
		answer.srcfd = fd;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &answer);
		close(fd);
	}
}
