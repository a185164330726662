// hand SOCKET COUNT UID: sends what stands on stdin to a socket, with COUNT fds that are none of seccomp's (`listener`:
// with one of its own), as the user UID; says `sent`, and waits until the other end closes.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static char text[4 << 20];

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int count = atoi(argv[2]), uid = atoi(argv[3]), connection = socket(AF_UNIX, SOCK_STREAM, 0);
	int file = open("/dev/null", O_RDONLY);

	if (strcmp(argv[2], "listener") == 0) {
		struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
		struct sock_fprog program = {1, &allow};

		count = 1;
		file = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
		if (file < 0)
			return perror("installing a filter"), 2;
	}

	char control[CMSG_SPACE(sizeof(int) * 64)] = {0};
	struct iovec data = {text, fread(text, 1, sizeof(text), stdin)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		struct cmsghdr *header = CMSG_FIRSTHDR(&message);

		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * count);
		for (int i = 0; i < count; i++)
			memcpy(CMSG_DATA(header) + i * sizeof(int), &file, sizeof(int));
	}
	strncpy(address.sun_path, argv[1], sizeof(address.sun_path) - 1);
	if ((uid != 0 && setuid(uid)) || connect(connection, (struct sockaddr *)&address, sizeof(address)))
		return perror("connecting"), 1;
	sendmsg(connection, &message, MSG_NOSIGNAL);
	puts("sent");
	fflush(stdout);
	shutdown(connection, SHUT_WR);
	while (read(connection, text, sizeof(text)) > 0)
		;
	return 0;
}
