/* Attaches programs of kinds that attached.c does not have, prints them, and waits until its standard input is closed.
 * Programs for tc(8) and ip(8) are pinned and attached to nothing. usage: kinds PINS CGROUP [NETKIT] */
#include "programs.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static const char *pins;

static int map_with(int type, int key_size, int value_size)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = type;
	attr.key_size = key_size;
	attr.value_size = value_size;
	attr.max_entries = 4;
	return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

/* Puts a value of a number and a program into a map. */
static int put_pair(int map, unsigned int index, unsigned int number, int program)
{
	unsigned int value[] = { number, program };
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = map;
	attr.key = (uintptr_t)&index;
	attr.value = (uintptr_t)value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

static void made(const char *name, int program, int result)
{
	said(name, program, result);
	close(program);
}

/* Loads a program that is attached by an option of a socket. */
static void to_socket(const char *name, int type, int socket, int level, int option)
{
	int program = load(name, type, 0, type == BPF_PROG_TYPE_SK_REUSEPORT, -1);

	made(name, program, setsockopt(socket, level, option, &program, sizeof(program)));
}

static int bound(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : fd;
}

static void sockets(void)
{
	int fanout = PACKET_FANOUT_EBPF << 16 | 1, packet = socket(AF_PACKET, SOCK_RAW, htons(3));

	to_socket("kind_socket", BPF_PROG_TYPE_SOCKET_FILTER, bound(7776), SOL_SOCKET, SO_ATTACH_BPF);
	to_socket("kind_packet", BPF_PROG_TYPE_SOCKET_FILTER, socket(AF_PACKET, SOCK_RAW, 0), SOL_SOCKET, SO_ATTACH_BPF);
	setsockopt(packet, SOL_PACKET, PACKET_FANOUT, &fanout, sizeof(fanout));
	to_socket("kind_fanout", BPF_PROG_TYPE_SOCKET_FILTER, packet, SOL_PACKET, PACKET_FANOUT_DATA);
	to_socket("kind_reuse", BPF_PROG_TYPE_SOCKET_FILTER, bound(7777), SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF);
	to_socket("kind_reuseport", BPF_PROG_TYPE_SK_REUSEPORT, bound(7778), SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF);
}

static void tun(void)
{
	struct ifreq device = { .ifr_name = "tun9", .ifr_flags = IFF_TAP | IFF_NO_PI };
	int program, fd = open("/dev/net/tun", O_RDWR);

	ioctl(fd, TUNSETIFF, &device);
	program = load("kind_tunfilter", BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, -1);
	made("kind_tunfilter", program, ioctl(fd, TUNSETFILTEREBPF, &program));
	program = load("kind_tunsteer", BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, -1);
	made("kind_tunsteer", program, ioctl(fd, TUNSETSTEERINGEBPF, &program));
}

static int number_in(const char *path)
{
	char text[16] = "";
	int length, file = open(path, O_RDONLY);

	length = read(file, text, sizeof(text) - 1);
	close(file);
	return length <= 0 ? -1 : atoi(text);
}

/* Opens an event and has a program of it by ioctl(2). `type` is the file with the number of a type of events, or null
 * for the processor's clock. */
static void to_event(const char *name, int program_type, const char *type, const char *what, int is_return)
{
	struct perf_event_attr event;
	char path[128];
	int fd, program = load(name, program_type, 0, 0, -1);

	memset(&event, 0, sizeof(event));
	event.size = sizeof(event);
	event.type = PERF_TYPE_SOFTWARE;
	event.config = type == NULL ? PERF_COUNT_SW_CPU_CLOCK : is_return;
	event.sample_period = 1000000000;
	if (type != NULL) {
		snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", type);
		event.type = number_in(path);
		event.config1 = (uintptr_t)what;
	}
	/* an instruction of this program */
	event.config2 = type != NULL && strcmp(type, "uprobe") == 0 ? 0x1000 : 0;
	fd = syscall(SYS_perf_event_open, &event, -1, 0, -1, 0);
	made(name, program, fd < 0 ? fd : ioctl(fd, PERF_EVENT_IOC_SET_BPF, program));
}

static void maps(void)
{
	int program;

	program = load("kind_msg", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, 1, -1);
	made("kind_msg", program, attach(program, map_with(BPF_MAP_TYPE_SOCKMAP, 4, 4), BPF_SK_MSG_VERDICT));
	program = load("kind_parser", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_PARSER, 0, -1);
	made("kind_parser", program, attach(program, map_with(BPF_MAP_TYPE_SOCKHASH, 4, 4), BPF_SK_SKB_STREAM_PARSER));
	program = load("kind_devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, XDP_PASS, -1);
	made("kind_devmap", program, put_pair(map_with(BPF_MAP_TYPE_DEVMAP, 4, 8), 2, 1, program));
	program = load("kind_devhash", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, XDP_PASS, -1);
	made("kind_devhash", program, put_pair(map_with(BPF_MAP_TYPE_DEVMAP_HASH, 4, 8), 70000, 1, program));
	program = load("kind_cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, XDP_PASS, -1);
	made("kind_cpumap", program, put_pair(map_with(BPF_MAP_TYPE_CPUMAP, 4, 8), 0, 64, program));
}

static const struct {
	const char *name;
	int type;
	int attach_type;
	int by_link;
} OF_CGROUPS[] = {
	{ "kind_create", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 1 },
	{ "kind_connect", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, 0 },
	{ "kind_sendmsg", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG, 1 },
	{ "kind_sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, 1 },
	{ "kind_sockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT, 0 },
	{ "kind_device", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, 1 },
	{ "kind_sockops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, 0 },
};

static void cgroups(const char *folder)
{
	int cgroup = open(folder, O_RDONLY);
	unsigned int at;

	for (at = 0; at < sizeof(OF_CGROUPS) / sizeof(OF_CGROUPS[0]); at++) {
		int type = OF_CGROUPS[at].attach_type, program = load(OF_CGROUPS[at].name, OF_CGROUPS[at].type, type, 1, -1);

		made(OF_CGROUPS[at].name, program,
		     OF_CGROUPS[at].by_link ? link_to(program, cgroup, type) : attach(program, cgroup, type));
	}
}

static void pinned(const char *name, int type)
{
	int program = load(name, type, 0, type == BPF_PROG_TYPE_XDP ? XDP_PASS : 0, -1);
	char path[256];
	union bpf_attr attr;

	snprintf(path, sizeof(path), "%s/%s", pins, name);
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)path;
	attr.bpf_fd = program;
	made(name, program, bpf(BPF_OBJ_PIN, &attr, sizeof(attr)));
}

int main(int argc, char **argv)
{
	int program;

	if (argc < 3)
		return EXIT_FAILURE;
	pins = argv[1];
	sockets();
	tun();
	maps();
	cgroups(argv[2]);
	to_event("kind_perf", BPF_PROG_TYPE_PERF_EVENT, NULL, NULL, 0);
	to_event("kind_kprobe", BPF_PROG_TYPE_KPROBE, "kprobe", "vfs_fsync", 0);
	to_event("kind_kretprobe", BPF_PROG_TYPE_KPROBE, "kprobe", "vfs_fsync", 1);
	to_event("kind_uprobe", BPF_PROG_TYPE_KPROBE, "uprobe", "/bin/kinds", 0);
	if (argc > 3) {
		program = load("kind_netkit", BPF_PROG_TYPE_SCHED_CLS, BPF_NETKIT_PRIMARY, -1, -1);
		made("kind_netkit", program, link_to(program, if_nametoindex(argv[3]), BPF_NETKIT_PRIMARY));
	}
	pinned("kind_ingress", BPF_PROG_TYPE_SCHED_CLS);
	pinned("kind_egress", BPF_PROG_TYPE_SCHED_CLS);
	pinned("kind_class", BPF_PROG_TYPE_SCHED_CLS);
	pinned("kind_block", BPF_PROG_TYPE_SCHED_CLS);
	pinned("kind_action", BPF_PROG_TYPE_SCHED_ACT);
	pinned("kind_used", BPF_PROG_TYPE_SCHED_ACT);
	pinned("kind_generic", BPF_PROG_TYPE_XDP);
	pinned("kind_xmit", BPF_PROG_TYPE_LWT_XMIT);
	pinned("kind_in", BPF_PROG_TYPE_LWT_IN);
	pinned("kind_other_in", BPF_PROG_TYPE_LWT_IN);
	pinned("kind_segment", BPF_PROG_TYPE_LWT_SEG6LOCAL);
	hold();
	return 0;
}
