// Attaches a program for each kind of link with libbpf, has each of them run, and says what came of it, a line a kind:
// `fentry: attached, ran`. Programs that $WITHOUT names, each with a comma
// after it, are not loaded. With a command, runs it while they are
// attached. usage: links LINKS.o REPLACED.o CGROUP [COMMAND]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct bpf_object *object, *replaced;
static int cgroup;

__attribute__((noinline)) int victim(int of)
{
	__asm__ volatile("");
	return of;
}

static struct bpf_link *plainly(struct bpf_program *program)
{
	return bpf_program__attach(program);
}

static struct bpf_link *to_victim(struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .func_name = "victim");

	return bpf_program__attach_uprobe_opts(program, -1, "/proc/self/exe", 0, &options);
}

static struct bpf_link *to_victims(struct bpf_program *program)
{
	return bpf_program__attach_uprobe_multi(program, -1, "/proc/self/exe", "victim", NULL);
}

static struct bpf_link *to_lo(struct bpf_program *program)
{
	return bpf_program__attach_tcx(program, 1, NULL);
}

static struct bpf_link *to_lo_by_xdp(struct bpf_program *program)
{
	return bpf_program__attach_xdp(program, 1);
}

static struct bpf_link *to_output(struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_netfilter_opts, options, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT, .priority = -7);

	return bpf_program__attach_netfilter(program, &options);
}

static struct bpf_link *to_cgroup(struct bpf_program *program)
{
	return bpf_program__attach_cgroup(program, cgroup);
}

static struct bpf_link *to_network(struct bpf_program *program)
{
	return bpf_program__attach_netns(program, open("/proc/self/ns/net", O_RDONLY));
}

static struct bpf_program *target(void)
{
	return bpf_object__find_program_by_name(replaced, "replaced");
}

static struct bpf_link *to_program(struct bpf_program *program)
{
	return bpf_program__attach_freplace(program, bpf_program__fd(target()), "verdict");
}

// In the order of the counters of links.bpf.c.
static const struct {
	const char *name;
	struct bpf_link *(*attach)(struct bpf_program *);
} KINDS[] = {
	{"kprobe", plainly}, {"kprobe_multi", plainly}, {"fentry", plainly}, {"fexit", plainly}, {"fmod_ret", plainly},
	{"lsm", plainly}, {"freplace", to_program}, {"struct_ops", NULL}, {"uprobe", to_victim},
	{"uprobe_multi", to_victims}, {"tracepoint", plainly}, {"tp_btf", plainly}, {"tcx", to_lo}, {"xdp", to_lo_by_xdp},
	{"netfilter", to_output}, {"cgroup", to_cgroup}, {"sk_lookup", to_network},
};
enum { COUNT = sizeof(KINDS) / sizeof(*KINDS) };

// A connection over lo that sends a little; through the congestion control of that name where there is one.
static void talk(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4747), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), one = 1, accepted;
	char bytes[4096] = {};

	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "steady", 6);
	if (bind(server, (void *)&to, sizeof(to)) || listen(server, 1) || connect(client, (void *)&to, sizeof(to)))
		perror("lo");
	accepted = accept(server, NULL, NULL);
	for (int i = 0; i < 16; i++) {
		if (write(client, bytes, sizeof(bytes)) < 0 || read(accepted, bytes, sizeof(bytes)) < 0)
			perror("lo");
	}
	close(client), close(accepted), close(server);
}

static void happen(void)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));

	usleep(1);
	victim(1);
	if (getpgid(getpid()) < 0)
		perror("getpgid");
	bpf_prog_test_run_opts(bpf_program__fd(target()), &run);
	talk();
}

static void leave_out(const char *kinds)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		const char *name = bpf_program__name(program);
		int is_struct_ops = bpf_program__type(program) == BPF_PROG_TYPE_STRUCT_OPS;
		char word[64];

		snprintf(word, sizeof(word), "%s,", is_struct_ops ? "by_struct_ops" : name);
		if (kinds && strstr(kinds, word))
			bpf_program__set_autoload(program, 0);
	}
	if (kinds && strstr(kinds, "by_struct_ops,"))
		bpf_map__set_autocreate(bpf_object__find_map_by_name(object, "steady"), 0);
}

int main(int argc, char **argv)
{
	struct bpf_program *replacing;
	unsigned long *ran;
	size_t size;

	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(NULL);
	cgroup = open(argv[3], O_RDONLY);
	replaced = bpf_object__open_file(argv[2], NULL);
	if (!replaced || bpf_object__load(replaced))
		return printf("replaced: %s\n", strerrorname_np(errno)), 1;
	object = bpf_object__open_file(argv[1], NULL);
	replacing = bpf_object__find_program_by_name(object, "by_freplace");
	leave_out(getenv("WITHOUT"));
	if (!object || bpf_program__set_attach_target(replacing, bpf_program__fd(target()), "verdict") || bpf_object__load(object))
		return printf("links: %s\n", strerrorname_np(errno)), 1;
	ran = bpf_map__initial_value(bpf_object__find_map_by_name(object, ".bss"), &size);

	int errors[COUNT];
	for (int kind = 0; kind < COUNT; kind++) {
		char name[32];
		struct bpf_link *link;

		snprintf(name, sizeof(name), "by_%s", KINDS[kind].name);
		errno = 0;
		link = KINDS[kind].attach ? KINDS[kind].attach(bpf_object__find_program_by_name(object, name))
					  : bpf_map__attach_struct_ops(bpf_object__find_map_by_name(object, "steady"));
		errors[kind] = link ? 0 : errno;
	}
	happen();
	if (argc > 4 && system(argv[4]) != 0)
		printf("command: failed\n");
	for (int kind = 0; kind < COUNT; kind++)
		printf("%s: %s, %s\n", KINDS[kind].name, errors[kind] ? strerrorname_np(errors[kind]) : "attached",
		       ran[kind] ? "ran" : "did not run");
	return 0;
}
