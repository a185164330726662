// runtimes SOCKET COUNT CALLS GAP: hands COUNT listeners of its own children to an agent, as an OCI runtime does, and has the
// children make CALLS bpf(2) in turn, GAP microseconds apart. Prints `ready`, waits for a line on stdin, then prints the
// median time of a call in nanoseconds, waits for another line and ends.
#define _GNU_SOURCE
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static int order(const void *a, const void *b)
{
	return *(uint64_t *)a < *(uint64_t *)b ? -1 : *(uint64_t *)a > *(uint64_t *)b;
}

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
	char text[512], control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec data = {text, 0};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int connection = socket(AF_UNIX, SOCK_STREAM, 0);

	data.iov_len = snprintf(text, sizeof(text),
				"{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,\"metadata\":\"bench\",\"state\":{\"ociVersion\":"
				"\"1.2.0\",\"id\":\"bench-%d\",\"status\":\"creating\",\"pid\":%d,\"bundle\":\"/bench\",\"annotations\":"
				"{\"label.countersign/tier\":\"t%d\"}}}",
				getpid(), index, getpid(), index % 10);
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
	int count = atoi(argv[2]), calls = atoi(argv[3]), gap = atoi(argv[4]);
	int(*turn)[2] = calloc(count, sizeof(*turn)), back[2];
	uint64_t *times = calloc(calls, sizeof(*times));
	char byte = 0, line[16];

	pipe(back);
	for (int i = 0; i < count; i++) {
		pipe(turn[i]);
		if (fork() == 0) {
			int listener = install();

			hand_over(argv[1], i, listener);
			close(listener);
			close(turn[i][1]);
			write(back[1], &byte, 1);
			while (read(turn[i][0], &byte, 1) == 1) {
				union bpf_attr attr = {.map_fd = -1};
				uint64_t start = now();

				syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
				start = now() - start;
				write(back[1], &start, sizeof(start));
			}
			_exit(0);
		}
		close(turn[i][0]);
		read(back[0], &byte, 1);
	}
	printf("ready\n");
	fflush(stdout);
	fgets(line, sizeof(line), stdin);
	for (int i = 0; i < calls; i++) {
		write(turn[i * 7 % count][1], &byte, 1);
		read(back[0], &times[i], sizeof(*times));
		usleep(gap);
	}
	qsort(times, calls, sizeof(*times), order);
	printf("%llu\n", (unsigned long long)times[calls / 2]);
	fflush(stdout);
	fgets(line, sizeof(line), stdin);
	return 0;
}
