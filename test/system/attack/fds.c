// Gets an fd of each kind that bpf(2) gives, in each way that there is, and prints the name of its file:
// `KIND WAY: NAME`, or the errno.
#include "bpf.h"
#include <linux/btf.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define FSCONFIG_STRING 1
#define FSCONFIG_CREATE 6

static const char *folder;

static int say(const char *what, long fd)
{
	char path[64], name[256];
	ssize_t length;

	if (fd < 0) {
		printf("%s: errno %d\n", what, errno);
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
	length = readlink(path, name, sizeof(name) - 1);
	printf("%s: %.*s\n", what, (int)length, name);
	return fd;
}

static long by_id(int command, unsigned id)
{
	union bpf_attr attr = {.prog_id = id};

	return bpf(command, &attr, 12);
}

static long by_path(int fd, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s-%d", folder, name, getpid());
	union bpf_attr pin = {.pathname = (uintptr_t)path, .bpf_fd = fd}, get = {.pathname = (uintptr_t)path};

	if (bpf(BPF_OBJ_PIN, &pin, 16) != 0)
		return -1;
	long result = bpf(BPF_OBJ_GET, &get, 16);
	int error = errno;

	unlink(path);
	errno = error;
	return result;
}

// A word of what the kernel reports of an object: its id is word 1, of BTF word 3.
static unsigned id_at(int fd, unsigned word)
{
	unsigned info[64] = {};
	union bpf_attr attr = {.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)info}};

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, 16) == 0 ? info[word] : 0;
}

// The BTF id of the kernel's function bpf_iter_task, which makes a program an iterator over tasks.
static unsigned iterator_of_tasks(void)
{
	static char blob[64 << 20];
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY);
	size_t length = 0;

	for (ssize_t more; (more = read(fd, blob + length, sizeof(blob) - length)) > 0;)
		length += more;
	const struct btf_header *header = (void *)blob;
	const char *at = blob + header->hdr_len + header->type_off, *end = at + header->type_len;
	const char *strings = blob + header->hdr_len + header->str_off;

	for (unsigned id = 1; length > 0 && at < end; id++) {
		const struct btf_type *type = (void *)at;
		static const unsigned char each[32] = {[BTF_KIND_STRUCT] = 12, [BTF_KIND_UNION] = 12, [BTF_KIND_ENUM] = 8,
			[BTF_KIND_FUNC_PROTO] = 8, [BTF_KIND_DATASEC] = 12, [BTF_KIND_ENUM64] = 12};
		static const unsigned char more[32] = {[BTF_KIND_INT] = 4, [BTF_KIND_ARRAY] = 12, [BTF_KIND_VAR] = 4,
			[BTF_KIND_DECL_TAG] = 4};
		unsigned kind = BTF_INFO_KIND(type->info);

		if (kind == BTF_KIND_FUNC && !strcmp(strings + type->name_off, "bpf_iter_task"))
			return id;
		at += sizeof(*type) + more[kind] + each[kind] * BTF_INFO_VLEN(type->info);
	}
	return 0;
}

static void programs(void)
{
	int fd = say("program created", load(GOOD, 2));

	say("program by id", by_id(BPF_PROG_GET_FD_BY_ID, id_at(fd, 1)));
	say("program by path", by_path(fd, "program"));
}

static void maps(void)
{
	int fd = say("map created", array(8));

	say("map by id", by_id(BPF_MAP_GET_FD_BY_ID, id_at(fd, 1)));
	say("map by path", by_path(fd, "map"));
}

static void types(void)
{
	static const struct {
		struct btf_header header;
		struct btf_type number;
		unsigned encoding;
		char text[8];
	} blob = {{BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_header), 0, 16, 16, 8}, {1, BTF_KIND_INT << 24, {4}}, 1 << 24 | 32, "\0int"};
	union bpf_attr attr = {.btf = (uintptr_t)&blob, .btf_size = sizeof(blob)};
	int fd = say("btf created", bpf(BPF_BTF_LOAD, &attr, 28));

	say("btf by id", by_id(BPF_BTF_GET_FD_BY_ID, id_at(fd, 3)));
}

static void links(void)
{
	union bpf_attr attr;

	fill(&attr, GOOD, 2);
	attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	union bpf_attr open = {.raw_tracepoint = {.name = (uintptr_t)"sched_switch", .prog_fd = bpf(BPF_PROG_LOAD, &attr, 48)}};
	int fd = say("link created by BPF_RAW_TRACEPOINT_OPEN", bpf(BPF_RAW_TRACEPOINT_OPEN, &open, 16));

	say("link by id", by_id(BPF_LINK_GET_FD_BY_ID, id_at(fd, 1)));
	say("link by path", by_path(fd, "link"));
}

static void iterators(void)
{
	static const struct bpf_insn nothing[2] = {MOV0(0), EXIT};
	char path[4096];
	union bpf_attr attr;

	fill(&attr, nothing, 2);
	attr.prog_type = BPF_PROG_TYPE_TRACING;
	attr.expected_attach_type = BPF_TRACE_ITER;
	attr.attach_btf_id = iterator_of_tasks();
	union bpf_attr create = {.link_create = {.prog_fd = bpf(BPF_PROG_LOAD, &attr, 128), .attach_type = BPF_TRACE_ITER}};
	int link = say("link created by BPF_LINK_CREATE", bpf(BPF_LINK_CREATE, &create, 64));
	union bpf_attr iterate = {.iter_create = {.link_fd = link}};

	say("link of an iterator by id", by_id(BPF_LINK_GET_FD_BY_ID, id_at(link, 1)));
	say("link of an iterator by path", by_path(link, "iterator"));
	say("iterator created", bpf(BPF_ITER_CREATE, &iterate, 8));
	snprintf(path, sizeof(path), "%s/iterator-%d", folder, getpid());
	union bpf_attr pin = {.pathname = (uintptr_t)path, .bpf_fd = link};
	if (bpf(BPF_OBJ_PIN, &pin, 16) == 0) {
		char line;
		int fd = open(path, O_RDONLY);

		// the name of this file is its path
		printf("iterator by open(2): %s\n", fd >= 0 && read(fd, &line, 1) >= 0 ? "read" : "not read");
		unlink(path);
	}
}

static void statistics(void)
{
	union bpf_attr attr = {.enable_stats = {.type = BPF_STATS_RUN_TIME}};

	say("statistics created", bpf(BPF_ENABLE_STATS, &attr, 4));
}

static void send_fd(int socket, int fd)
{
	char room[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(socket, &message, 0);
}

static int received_fd(int socket)
{
	char room[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
	int fd = -1;

	if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message) != NULL)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

// A token is made in a user namespace of its own, from a BPF file system of that namespace to which the initial one
// delegates.
static void tokens(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	fflush(stdout);
	if (fork() == 0) {
		unshare(CLONE_NEWUSER | CLONE_NEWNS);
		send_fd(pair[1], syscall(SYS_fsopen, "bpf", 0));
		union bpf_attr attr = {};

		((unsigned *)&attr)[1] = openat(received_fd(pair[1]), ".", O_RDONLY); // flags 0 · bpffs_fd 4
		say("token created", bpf(36 /* BPF_TOKEN_CREATE */, &attr, 8));
		fflush(stdout);
		_exit(0);
	}
	// so that a child that ends early is not waited for
	close(pair[1]);
	int context = received_fd(pair[0]);
	static const char *const OPTIONS[] = {"delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"};

	for (int i = 0; i < 4; i++)
		syscall(SYS_fsconfig, context, FSCONFIG_STRING, OPTIONS[i], "any", 0);
	syscall(SYS_fsconfig, context, FSCONFIG_CREATE, NULL, NULL, 0);
	send_fd(pair[0], syscall(SYS_fsmount, context, 0, 0));
	wait(NULL);
}

int main(int argc, char **argv)
{
	folder = argv[1];
	programs();
	maps();
	types();
	links();
	iterators();
	statistics();
	tokens();
	return 0;
}
