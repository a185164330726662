// Ways to have the kernel run a program: by BPF_PROG_TEST_RUN, or attached to what this process then does.
#pragma once
#include "outputs.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define CGROUP "/sys/fs/cgroup/marked"
#define DEVICE "marked0"
#define PEER "marked1"

struct program {
	char name[128], trigger[16], action[128], module[32];
	unsigned type, expected, btf_id, flags;
	unsigned char packet[256], context[256];
	unsigned packet_size, context_size;
	int fd;
};

// What BPF_PROG_TEST_RUN gives back: the longest run of marker bytes in the return value and the packet.
static int test_run(const struct program *program)
{
	static unsigned char out[8192];
	union bpf_attr attr = {};
	int value, packet;

	attr.test.prog_fd = program->fd;
	if (program->packet_size > 0) {
		attr.test.data_in = (uintptr_t)program->packet;
		attr.test.data_size_in = program->packet_size;
		attr.test.data_out = (uintptr_t)out;
		attr.test.data_size_out = sizeof(out);
	}
	if (program->context_size > 0) {
		attr.test.ctx_in = (uintptr_t)program->context;
		attr.test.ctx_size_in = program->context_size;
	}
	if (bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)) != 0)
		return -1;
	value = marked((unsigned char *)&attr.test.retval, sizeof(attr.test.retval));
	packet = marked(out, program->packet_size > 0 ? attr.test.data_size_out : 0);
	return value > packet ? value : packet;
}

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}};
}

static void read_file(const char *path)
{
	char text[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, text, sizeof(text)) < 0)
		perror(path);
	close(fd);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

static void connect_tcp(void)
{
	struct sockaddr_in to = local(0);
	socklen_t size = sizeof(to);
	int one = 1, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted;

	setsockopt(server, IPPROTO_TCP, TCP_SAVE_SYN, &one, sizeof(one));
	if (bind(server, (struct sockaddr *)&to, size) != 0 || listen(server, 1) != 0)
		perror("listen");
	getsockname(server, (struct sockaddr *)&to, &size);
	if (connect(client, (struct sockaddr *)&to, size) == 0) {
		accepted = accept(server, NULL, NULL);
		if (send(client, "x", 1, 0) == 1)
			recv(accepted, &one, 1, 0);
		close(accepted);
	}
	close(client);
	close(server);
}

// Sends a datagram to a socket whose group asks the program.
static int reuseport(const struct program *program)
{
	struct sockaddr_in to = local(0);
	socklen_t size = sizeof(to);
	int one = 1, fd = program->fd, failed;
	int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), sender = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	setsockopt(receiver, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	failed = bind(receiver, (struct sockaddr *)&to, size);
	getsockname(receiver, (struct sockaddr *)&to, &size);
	failed |= setsockopt(receiver, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &fd, sizeof(fd));
	failed |= sendto(sender, "0123456789abcdef0123456789abcdef", 32, 0, (struct sockaddr *)&to, size) != 32;
	close(receiver);
	close(sender);
	return failed;
}

static void execute(void)
{
	pid_t child = fork();

	if (child == 0) {
		execl("/bin/busybox", "true", NULL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
}

static void act(const char *action)
{
	struct sockaddr_in to = local(9);
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), value;
	socklen_t size = sizeof(value);

	if (strcmp(action, "connect") == 0)
		connect(udp, (struct sockaddr *)&to, sizeof(to));
	else if (strcmp(action, "bind") == 0)
		bind(udp, (struct sockaddr *)&to, sizeof(to));
	else if (strcmp(action, "getsockopt") == 0)
		getsockopt(udp, SOL_SOCKET, SO_TYPE, &value, &size);
	else if (strcmp(action, "tcp") == 0)
		connect_tcp();
	else if (strcmp(action, "getpgid") == 0)
		getpgid(getpid());
	else if (strcmp(action, "exec") == 0)
		execute();
	else if (action[0] == '<')
		read_file(action + 1);
	else if (action[0] == '>')
		write_file(action + 1, "1\n");
	close(udp);
}

static int in_cgroup(const struct program *program)
{
	int group = open(CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr attr = {.target_fd = group, .attach_bpf_fd = program->fd, .attach_type = program->expected};
	int failed = bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));

	if (failed == 0) {
		act(program->action);
		bpf(BPF_PROG_DETACH, &attr, sizeof(attr));
	}
	close(group);
	return failed;
}

// A raw tracepoint by its name before the comma; without one, what the program's BTF id names.
static int raw(const struct program *program)
{
	char name[64];
	const char *action = strchr(program->action, ',');
	union bpf_attr attr = {.raw_tracepoint.prog_fd = program->fd};
	int link;

	snprintf(name, sizeof(name), "%.*s", (int)(action - program->action), program->action);
	if (name[0] != 0)
		attr.raw_tracepoint.name = (uintptr_t)name;
	link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
	if (link < 0)
		return -1;
	act(action + 1);
	close(link);
	return 0;
}

// Attached to a device of veth, at whose peer a frame is sent.
static int received(const struct program *program)
{
	static const unsigned char frame[64] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
	union bpf_attr attr = {.link_create = {.prog_fd = program->fd, .target_ifindex = if_nametoindex(DEVICE)}};
	struct sockaddr_ll peer = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(PEER), .sll_halen = 6};
	int link, sender = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), failed;

	attr.link_create.attach_type = BPF_XDP;
	link = bpf(BPF_LINK_CREATE, &attr, sizeof(attr));
	if (link < 0)
		return -1;
	failed = sendto(sender, frame, sizeof(frame), 0, (struct sockaddr *)&peer, sizeof(peer)) < 0;
	close(sender);
	close(link);
	return failed ? -1 : 0;
}

static int iterate(const struct program *program)
{
	static unsigned char out[8192];
	union bpf_attr attr = {.link_create = {.prog_fd = program->fd, .attach_type = program->expected}};
	int link = bpf(BPF_LINK_CREATE, &attr, sizeof(attr)), iterator, longest = 0;
	ssize_t got;

	if (link < 0)
		return -1;
	attr = (union bpf_attr){.iter_create = {.link_fd = link}};
	iterator = bpf(BPF_ITER_CREATE, &attr, sizeof(attr));
	while (iterator >= 0 && (got = read(iterator, out, sizeof(out))) > 0)
		if (marked(out, got) > longest)
			longest = marked(out, got);
	close(iterator);
	close(link);
	return iterator < 0 ? -1 : longest;
}

static int sampled(const struct program *program, int has_run(void))
{
	int event = open_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 100000);
	int failed = event < 0 || ioctl(event, PERF_EVENT_IOC_SET_BPF, program->fd) != 0;
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 5;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (!failed && !has_run() && now.tv_sec < end.tv_sec);
	close(event);
	return failed ? -1 : 0;
}

// Has the program run. Returns the longest run of marker bytes that came out by itself; -1 if it cannot be run.
static int trigger(const struct program *program, int has_run(void))
{
	if (strcmp(program->trigger, "test") == 0)
		return test_run(program);
	if (strcmp(program->trigger, "cgroup") == 0)
		return in_cgroup(program);
	if (strcmp(program->trigger, "raw") == 0)
		return raw(program);
	if (strcmp(program->trigger, "iter") == 0)
		return iterate(program);
	if (strcmp(program->trigger, "perf") == 0)
		return sampled(program, has_run);
	if (strcmp(program->trigger, "reuseport") == 0)
		return reuseport(program);
	if (strcmp(program->trigger, "veth") == 0)
		return received(program);
	errno = EINVAL;
	return -1;
}
