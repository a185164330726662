// crowd SOCKET COUNT: hands COUNT listeners to an agent as an OCI runtime does, each of a child that stands for a container whose
// label `tier` is t0 to t9 in turn. For each line on stdin every child loads `r0 = 2; exit` once; prints `tN: loaded refused
// failed` for each tier, of the children that could load, got EPERM, or anything else.
#include "bpf.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/un.h>

#define TIERS 10

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

static void hand_over(const char *path, int index, int listener)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char text[512], control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec data = {text, 0};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int connection = socket(AF_UNIX, SOCK_STREAM, 0);

	data.iov_len = snprintf(text, sizeof(text),
				"{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":\"\",\"state\":{\"ociVersion\":"
				"\"1.2.0\",\"id\":\"crowd-%d\",\"status\":\"creating\",\"pid\":%d,\"bundle\":\"/\",\"annotations\":"
				"{\"io.kubernetes.cri.container-name\":\"crowd-%d\",\"label.countersign/tier\":\"t%d\"}}}",
				getpid(), index, getpid(), index, index % TIERS);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &listener, sizeof(int));
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	if (connect(connection, (struct sockaddr *)&address, sizeof(address)) || sendmsg(connection, &message, 0) < 0)
		perror("handing over"), exit(1);
	close(connection);
}

int main(int argc, char **argv)
{
	int count = atoi(argv[2]), back[2];
	int(*turn)[2] = calloc(count, sizeof(*turn));
	char outcome = 0, line[16];

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pipe(back))
		return 1;
	for (int i = 0; i < count; i++) {
		if (pipe(turn[i]))
			return perror("pipe"), 1;
		if (fork() == 0) {
			int listener = install();

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			hand_over(argv[1], i, listener);
			close(listener);
			close(turn[i][1]);
			for (int j = 0; j < i; j++)
				close(turn[j][1]);
			while (write(back[1], &outcome, 1) == 1 && read(turn[i][0], &outcome, 1) == 1)
				outcome = load(GOOD, 2) >= 0 ? 0 : errno == EPERM ? 1 : 2;
			_exit(0);
		}
		close(turn[i][0]);
		if (read(back[0], &outcome, 1) != 1)
			return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		int counts[TIERS][3] = {0};

		for (int i = 0; i < count; i++) {
			if (write(turn[i][1], &outcome, 1) != 1 || read(back[0], &outcome, 1) != 1)
				return 1;
			counts[i % TIERS][(int)outcome]++;
		}
		for (int i = 0; i < TIERS; i++)
			printf("t%d: %d %d %d\n", i, counts[i][0], counts[i][1], counts[i][2]);
	}
	return 0;
}
