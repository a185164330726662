/*
 * Runs a command as a container runtime does: behind a seccomp filter whose listener an agent gets.
 *
 *   in-container SOCKET ID LABEL COMMAND…   LABEL is the value of the annotation label.countersign/tier
 *
 * Waits for the socket. The filter notifies the agent of bpf(2), init_module(2) and finit_module(2), of which only the
 * number is compared.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	/* the agent binds its socket again when the machine gets another file system there */
	for (int tries = 0; connect(fd, (struct sockaddr *)&name, sizeof(name)) != 0; tries++) {
		if (tries == 600 || (errno != ENOENT && errno != ECONNREFUSED)) {
			printf("in-container: %s: %s\n", path, strerror(errno));
			exit(2);
		}
		usleep(100000);
	}
	return fd;
}

static int listener(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 2, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_init_module, 1, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_finit_module, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code), .filter = code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
}

static void send_state(int socket, int fd, const char *id, const char *label)
{
	char text[512], room[CMSG_SPACE(sizeof(int))] = {0};
	int length = snprintf(text, sizeof(text),
	                      "{\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":\"countersign-2\","
	                      "\"state\":{\"id\":\"%s\",\"bundle\":\"\","
	                      "\"annotations\":{\"label.countersign/tier\":\"%s\"}}}",
	                      getpid(), id, label);
	struct iovec part = {.iov_base = text, .iov_len = (size_t)length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	if (sendmsg(socket, &message, 0) != length) {
		printf("in-container: the listener cannot be sent: %s\n", strerror(errno));
		exit(2);
	}
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	int socket = connect_to(argv[1]);
	int fd = listener();
	if (fd < 0) {
		printf("in-container: no listener: %s\n", strerror(errno));
		return 2;
	}
	send_state(socket, fd, argv[2], argv[3]);
	close(fd);
	execvp(argv[4], argv + 4);
	return 127;
}
