// What gates of C have in common: a command under a filter, its listener, and copies of its memory.
#pragma once
#include "bpf.h"
#include "runtime.h"
#include <sys/ioctl.h>
#include <sys/uio.h>

// Sends an fd over a socket; with -1 receives one, or -1 if there is none.
static inline int pass_fd(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (fd >= 0) {
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(int));
		return sendmsg(socket, &message, 0);
	}
	if (recvmsg(socket, &message, 0) != 1 || (header = CMSG_FIRSTHDR(&message)) == NULL)
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

// Starts a command under a filter and gives the filter's listener.
static inline int listener_of(char **command, pid_t *child, unsigned flags)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	*child = fork();
	if (*child == 0) {
		pass_fd(pair[1], listen_to_bpf(flags));
		execvp(command[0], command);
		_exit(127);
	}
	// so that a child that ends before it has sent the listener is not waited for
	close(pair[1]);
	return pass_fd(pair[0], -1);
}

static inline int copy(pid_t pid, uint64_t from, void *to, size_t size)
{
	struct iovec here = {to, size}, there = {(void *)from, size};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}
