// What an OCI runtime does for a container: a listener for its bpf(2), handed to an agent with who it is of.
#pragma once
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

// A filter on the caller that has a listener ask about bpf(2) and lets all else through; the listener's fd.
static inline int listen_to_bpf(unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags, &program);
}

// Hands the caller's listener to the agent at a socket, as a container's with this id and these annotations (in JSON),
// and closes it.
static inline void hand_over(const char *path, int listener, const char *id, const char *annotations)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[1024], control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec data = {text, 0};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int connection = socket(AF_UNIX, SOCK_STREAM, 0);

	data.iov_len = snprintf(text, sizeof(text),
				"{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":\"countersign-2\",\"state\":{\"ociVersion\":"
				"\"1.2.0\",\"id\":\"%s\",\"status\":\"creating\",\"pid\":%d,\"bundle\":\"/\",\"annotations\":%s}}",
				getpid(), id, getpid(), annotations);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &listener, sizeof(int));
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (connect(connection, (struct sockaddr *)&address, sizeof(address)) || sendmsg(connection, &message, 0) < 0)
		perror("handing over"), exit(1);
	close(connection);
	close(listener);
}
