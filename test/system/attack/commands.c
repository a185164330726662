// commands NAME: what is done with objects that were handed out. Prints what came of it, the same with a gate as
// without.
#include "bpf.h"
#include <linux/btf.h>
#include <linux/if_link.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

static const char *outcome(long result)
{
	static char number[32];

	if (result >= 0)
		return "done";
	snprintf(number, sizeof(number), "errno %d", errno);
	return number;
}

static int say(const char *what, long result)
{
	printf("%s: %s\n", what, outcome(result));
	return result;
}

static int load_as(unsigned type, unsigned attach_type, const struct bpf_insn *insns)
{
	union bpf_attr attr;

	fill(&attr, insns, 2);
	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

// Two pages, behind which nothing is mapped.
static char *hole(void)
{
	char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(pages + 2 * 4096, 4096);
	return pages + 2 * 4096;
}

#define LINK(what, ...) say(what, link_of((union bpf_attr){.link_create = {__VA_ARGS__}}))

static int link_of(union bpf_attr attr)
{
	int fd = bpf(BPF_LINK_CREATE, &attr, sizeof(attr)), error = errno;

	if (fd >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
		printf("not close-on-exec\n");
	close(fd);
	errno = error;
	return fd;
}

static void tracepoints(void)
{
	int prog = load_as(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, GOOD), map = array(8);
	char *end = hole(), endless[300];
	union bpf_attr attr;

#define OPEN(what, at, fd, size) \
	(memset(&attr, 0, sizeof(attr)), attr.raw_tracepoint.name = (uintptr_t)(at), attr.raw_tracepoint.prog_fd = (fd), \
	 say(what, bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, size)))
	memset(endless, 'a', sizeof(endless));
	memcpy(end - 4, "abcd", 4);
	OPEN("sched_switch", "sched_switch", prog, sizeof(attr));
	OPEN("with a short attr", "sched_switch", prog, 12);
	OPEN("no such tracepoint", "no_such_tracepoint", prog, sizeof(attr));
	OPEN("a name without end", endless, prog, sizeof(attr));
	OPEN("a name into a hole", end - 4, prog, sizeof(attr));
	OPEN("no name", NULL, prog, sizeof(attr));
	OPEN("a map for a program", "sched_switch", map, sizeof(attr));
	OPEN("stdin for a program", "sched_switch", 0, sizeof(attr));
	OPEN("no fd", "sched_switch", -1, sizeof(attr));
}

static int perf_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 1000000000};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static void links(void)
{
	const char *const symbols[] = {"do_nanosleep", "vfs_read"};
	const char *const hidden[] = {"vfs_read", (char *)8};
	uint64_t numbers[2] = {64, 128};
	int xdp, tcx, sampler, lookup, probe, filter, skb, cgroup, event, net, map = array(8);
	char *end = hole(), path[256];
	union bpf_attr attr;

	unshare(CLONE_NEWNET);
	xdp = load_as(BPF_PROG_TYPE_XDP, BPF_XDP, GOOD);
	tcx = load_as(BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, GOOD);
	sampler = load_as(BPF_PROG_TYPE_PERF_EVENT, 0, GOOD);
	lookup = load_as(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, (struct bpf_insn[]){MOV0(1), EXIT});
	probe = load_as(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, GOOD);
	filter = load_as(BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER, (struct bpf_insn[]){MOV0(1), EXIT});
	skb = load_as(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, (struct bpf_insn[]){MOV0(1), EXIT});
	event = perf_event();
	net = open("/proc/self/ns/net", O_RDONLY);
	cgroup = open(getenv("CGROUP"), O_RDONLY);

	LINK("xdp", .prog_fd = xdp, .target_ifindex = 1, .attach_type = BPF_XDP, .flags = XDP_FLAGS_SKB_MODE);
	LINK("xdp on no interface", .prog_fd = xdp, .target_ifindex = 4711, .attach_type = BPF_XDP);
	LINK("xdp with flags that are none", .prog_fd = xdp, .target_ifindex = 1, .attach_type = BPF_XDP, .flags = 0x4000);
	LINK("tcx", .prog_fd = tcx, .target_ifindex = 1, .attach_type = BPF_TCX_INGRESS);
	LINK("tcx behind itself", .prog_fd = tcx, .target_ifindex = 1, .attach_type = BPF_TCX_INGRESS, .flags = BPF_F_AFTER,
	     .tcx.relative_fd = tcx);
	LINK("tcx behind a map", .prog_fd = tcx, .target_ifindex = 1, .attach_type = BPF_TCX_INGRESS, .flags = BPF_F_AFTER,
	     .tcx.relative_fd = map);
	LINK("tcx by no id", .prog_fd = tcx, .target_ifindex = 1, .attach_type = BPF_TCX_INGRESS,
	     .flags = BPF_F_AFTER | BPF_F_ID, .tcx.relative_id = 0x7fffffff);
	LINK("perf event", .prog_fd = sampler, .target_fd = event, .attach_type = BPF_PERF_EVENT, .perf_event.bpf_cookie = 7);
	LINK("perf event that is a map", .prog_fd = sampler, .target_fd = map, .attach_type = BPF_PERF_EVENT);
	LINK("perf event that is none", .prog_fd = sampler, .target_fd = -1, .attach_type = BPF_PERF_EVENT);
	LINK("network", .prog_fd = lookup, .target_fd = net, .attach_type = BPF_SK_LOOKUP);
	LINK("network that is a cgroup", .prog_fd = lookup, .target_fd = cgroup, .attach_type = BPF_SK_LOOKUP);
	LINK("netfilter", .prog_fd = filter, .attach_type = BPF_NETFILTER, .netfilter.pf = 2, .netfilter.hooknum = 1,
	     .netfilter.priority = -128);
	LINK("cgroup", .prog_fd = skb, .target_fd = cgroup, .attach_type = BPF_CGROUP_INET_EGRESS);
	LINK("cgroup that is a network", .prog_fd = skb, .target_fd = net, .attach_type = BPF_CGROUP_INET_EGRESS);
	LINK("another attach type", .prog_fd = skb, .target_fd = cgroup, .attach_type = BPF_CGROUP_INET_INGRESS);
	LINK("an attach type of another program", .prog_fd = skb, .target_ifindex = 1, .attach_type = BPF_XDP);
	LINK("no program", .prog_fd = -1, .target_ifindex = 1, .attach_type = BPF_XDP);
	LINK("a map for a program", .prog_fd = map, .target_ifindex = 1, .attach_type = BPF_XDP);
	LINK("a program for struct_ops", .map_fd = xdp, .attach_type = BPF_STRUCT_OPS);
	LINK("a map that is no struct_ops", .map_fd = map, .attach_type = BPF_STRUCT_OPS);

#define KPROBES(what, ...) \
	LINK(what, .prog_fd = probe, .attach_type = BPF_TRACE_KPROBE_MULTI, .kprobe_multi = {__VA_ARGS__})
	KPROBES("kprobes", .cnt = 2, .syms = (uintptr_t)symbols, .cookies = (uintptr_t)numbers);
	KPROBES("kprobes by address", .cnt = 2, .addrs = (uintptr_t)numbers);
	KPROBES("kprobes without end", .cnt = 0xffffffff, .syms = (uintptr_t)symbols);
	KPROBES("symbols into a hole", .cnt = 2, .syms = (uintptr_t)(end - 8));
	KPROBES("a symbol in no memory", .cnt = 2, .syms = (uintptr_t)hidden);
	KPROBES("cookies into a hole", .cnt = 2, .syms = (uintptr_t)symbols, .cookies = (uintptr_t)(end - 8));
	KPROBES("addresses in no memory", .cnt = 2, .addrs = 8);

	snprintf(path, sizeof(path), "%s", getenv("FILE"));
	probe = load_as(BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_MULTI, GOOD);
#define UPROBES(what, ...) \
	LINK(what, .prog_fd = probe, .attach_type = BPF_TRACE_UPROBE_MULTI, .uprobe_multi = {__VA_ARGS__})
	UPROBES("uprobes", .path = (uintptr_t)path, .offsets = (uintptr_t)numbers, .cookies = (uintptr_t)numbers, .cnt = 2);
	UPROBES("uprobes of a process", .path = (uintptr_t)path, .offsets = (uintptr_t)numbers, .cnt = 2, .pid = getpid());
	UPROBES("uprobes of no process", .path = (uintptr_t)path, .offsets = (uintptr_t)numbers, .cnt = 2, .pid = 0x7fffffff);
	UPROBES("uprobes of itself", .path = (uintptr_t)"/proc/self/exe", .offsets = (uintptr_t)numbers, .cnt = 1);
	UPROBES("uprobes in no file", .path = (uintptr_t)"/no/such/file", .offsets = (uintptr_t)numbers, .cnt = 1);
	UPROBES("uprobes in a folder", .path = (uintptr_t)"/", .offsets = (uintptr_t)numbers, .cnt = 1);
	UPROBES("a path into a hole", .path = (uintptr_t)memset(end - 4, 'a', 4), .offsets = (uintptr_t)numbers, .cnt = 1);
	UPROBES("no path", .offsets = (uintptr_t)numbers, .cnt = 1);
	UPROBES("offsets into a hole", .path = (uintptr_t)path, .offsets = (uintptr_t)(end - 8), .cnt = 2);
	UPROBES("no uprobes", .path = (uintptr_t)path, .offsets = (uintptr_t)numbers);
	UPROBES("uprobes without end", .path = (uintptr_t)path, .offsets = (uintptr_t)numbers, .cnt = 0xffffffff);
	if (getenv("GATED")) {
		UPROBES("uprobes in the gate", .path = (uintptr_t)"/proc/thread-self/exe", .offsets = (uintptr_t)numbers, .cnt = 1);
		LINK("an unknown attach type", .prog_fd = xdp, .target_ifindex = 1, .attach_type = 4000);
		LINK("something in a hole of attr", .prog_fd = xdp, .target_ifindex = 1, .attach_type = BPF_XDP,
		     .kprobe_multi.cookies = 1);
	}

	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = xdp;
	attr.link_create.target_ifindex = 1;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = XDP_FLAGS_SKB_MODE;
	int link = say("an xdp link to update", bpf(BPF_LINK_CREATE, &attr, 16));
	int other = load_as(BPF_PROG_TYPE_XDP, BPF_XDP, (struct bpf_insn[]){MOV0(0), EXIT});
#define UPDATE(what, ...) \
	(attr = (union bpf_attr){.link_update = {__VA_ARGS__}}, say(what, bpf(BPF_LINK_UPDATE, &attr, sizeof(attr))))
	UPDATE("update", .link_fd = link, .new_prog_fd = other);
	UPDATE("update what is another", .link_fd = link, .new_prog_fd = xdp, .flags = BPF_F_REPLACE, .old_prog_fd = xdp);
	UPDATE("update what it is", .link_fd = link, .new_prog_fd = xdp, .flags = BPF_F_REPLACE, .old_prog_fd = other);
	UPDATE("update with an old one unasked", .link_fd = link, .new_prog_fd = xdp, .old_prog_fd = other);
	UPDATE("update to a map", .link_fd = link, .new_prog_fd = map);
	UPDATE("update to nothing", .link_fd = link, .new_prog_fd = -1);
	UPDATE("update what is no link", .link_fd = xdp, .new_prog_fd = other);
	UPDATE("update with flags that are none", .link_fd = link, .new_prog_fd = other, .flags = 64);
}

static void attachments(void)
{
	int skb = load_as(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, (struct bpf_insn[]){MOV0(1), EXIT});
	int other = load_as(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, (struct bpf_insn[]){MOV0(3), EXIT});
	int cgroup = open(getenv("CGROUP"), O_RDONLY), map = array(8);
	union bpf_attr attr;

#define ATTACH(what, ...) (attr = (union bpf_attr){__VA_ARGS__}, say(what, bpf(BPF_PROG_ATTACH, &attr, sizeof(attr))))
	ATTACH("attach", .target_fd = cgroup, .attach_bpf_fd = skb, .attach_type = BPF_CGROUP_INET_EGRESS,
	       .attach_flags = BPF_F_ALLOW_MULTI);
	ATTACH("again", .target_fd = cgroup, .attach_bpf_fd = skb, .attach_type = BPF_CGROUP_INET_EGRESS,
	       .attach_flags = BPF_F_ALLOW_MULTI);
	ATTACH("replace", .target_fd = cgroup, .attach_bpf_fd = other, .attach_type = BPF_CGROUP_INET_EGRESS,
	       .attach_flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE, .replace_bpf_fd = skb);
	ATTACH("replace what is not there", .target_fd = cgroup, .attach_bpf_fd = other, .attach_type = BPF_CGROUP_INET_EGRESS,
	       .attach_flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE, .replace_bpf_fd = skb);
	ATTACH("replace a map", .target_fd = cgroup, .attach_bpf_fd = other, .attach_type = BPF_CGROUP_INET_EGRESS,
	       .attach_flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE, .replace_bpf_fd = map);
	ATTACH("to a map", .target_fd = map, .attach_bpf_fd = skb, .attach_type = BPF_CGROUP_INET_EGRESS);
	ATTACH("to nothing", .target_fd = -1, .attach_bpf_fd = skb, .attach_type = BPF_CGROUP_INET_EGRESS);
	ATTACH("a map", .target_fd = cgroup, .attach_bpf_fd = map, .attach_type = BPF_CGROUP_INET_EGRESS);
	ATTACH("nothing", .target_fd = cgroup, .attach_bpf_fd = -1, .attach_type = BPF_CGROUP_INET_EGRESS);
	ATTACH("by a type that attaches nothing", .target_fd = cgroup, .attach_bpf_fd = skb, .attach_type = BPF_XDP_DEVMAP);
	ATTACH("by a type that is none", .target_fd = cgroup, .attach_bpf_fd = skb, .attach_type = 4000);
	attr = (union bpf_attr){.target_fd = cgroup, .attach_bpf_fd = other, .attach_type = BPF_CGROUP_INET_EGRESS};
	say("detach", bpf(BPF_PROG_DETACH, &attr, sizeof(attr)));
	say("detach what is not there", bpf(BPF_PROG_DETACH, &attr, sizeof(attr)));
#define DETACH(what, ...) (attr = (union bpf_attr){__VA_ARGS__}, say(what, bpf(BPF_PROG_DETACH, &attr, sizeof(attr))))
	DETACH("detach from a map", .target_fd = map, .attach_bpf_fd = other, .attach_type = BPF_CGROUP_INET_EGRESS);
	DETACH("detach from nothing", .target_fd = -1, .attach_bpf_fd = other, .attach_type = BPF_CGROUP_INET_EGRESS);
	DETACH("detach by a type that attaches nothing", .target_fd = cgroup, .attach_bpf_fd = other, .attach_type = BPF_XDP_DEVMAP);
	ATTACH("attach alone", .target_fd = cgroup, .attach_bpf_fd = skb, .attach_type = BPF_CGROUP_INET_EGRESS);
	DETACH("detach whatever is there", .target_fd = cgroup, .attach_type = BPF_CGROUP_INET_EGRESS);
	DETACH("and again", .target_fd = cgroup, .attach_type = BPF_CGROUP_INET_EGRESS);
}

static void runs(void)
{
	int prog = load_as(BPF_PROG_TYPE_XDP, 0, GOOD), map = array(8);
	char *end = hole(), in[64] = {1, 2, 3}, out[128] = {};
	union bpf_attr attr;

#define RUN(what, ...) \
	(attr = (union bpf_attr){.test = {__VA_ARGS__}}, memset(out, 0, sizeof(out)), say(what, bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr))), \
	 printf("  gives %u, %u bytes, %d %d\n", attr.test.retval, attr.test.data_size_out, out[1], out[70]))
	RUN("run", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64);
	RUN("run with room", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .data_out = (uintptr_t)out,
	    .data_size_out = 128, .repeat = 10);
	RUN("run with too little room", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .data_out = (uintptr_t)out,
	    .data_size_out = 2);
	RUN("run with room of no size", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .data_out = (uintptr_t)out);
	RUN("run with room without end", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64,
	    .data_out = (uintptr_t)out, .data_size_out = 0xffffffff);
	RUN("run with room in no memory", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .data_out = 8,
	    .data_size_out = 64);
	RUN("run on nothing", .prog_fd = prog);
	RUN("run on a hole", .prog_fd = prog, .data_in = (uintptr_t)(end - 32), .data_size_in = 64);
	RUN("run without end", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 0xffffffff);
	RUN("run in a context of no size", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .ctx_in = (uintptr_t)in);
	RUN("run in a context of no memory", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .ctx_size_in = 24);
	RUN("run with flags that are none", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .flags = 0x800);
	RUN("run a map", .prog_fd = map, .data_in = (uintptr_t)in, .data_size_in = 64);
	RUN("run nothing", .prog_fd = -1, .data_in = (uintptr_t)in, .data_size_in = 64);
	attr = (union bpf_attr){.test = {.prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64}};
	say("run with a short attr", bpf(BPF_PROG_TEST_RUN, &attr, 24));
	if (getenv("GATED"))
		RUN("run for ever", .prog_fd = prog, .data_in = (uintptr_t)in, .data_size_in = 64, .repeat = 0xffffffff);
}

static void pins(void)
{
	int prog = load(GOOD, 2), map = array(8), folder;
	char *end = hole(), path[512], endless[5000];
	union bpf_attr attr;

#define PIN(what, at, fd, ...) \
	(memset(&attr, 0, sizeof(attr)), attr.pathname = (uintptr_t)(at), attr.bpf_fd = (fd), (void)(__VA_ARGS__), \
	 say(what, bpf(BPF_OBJ_PIN, &attr, sizeof(attr))))
#define GET(what, at, ...) \
	(memset(&attr, 0, sizeof(attr)), attr.pathname = (uintptr_t)(at), (void)(__VA_ARGS__), say(what, bpf(BPF_OBJ_GET, &attr, sizeof(attr))))
	memset(endless, 'a', sizeof(endless));
	chdir(getenv("BPFFS"));
	folder = open(".", O_PATH | O_DIRECTORY);
	snprintf(path, sizeof(path), "%s/prog", getenv("BPFFS"));
	PIN("pin", path, prog, 0);
	PIN("pin again", path, prog, 0);
	PIN("pin where the work is", "map", map, 0);
	PIN("pin by a folder's fd", "by-fd", prog, attr.file_flags = 1 << 14, attr.path_fd = folder);
	PIN("pin by an fd that is no folder", "by-map", prog, attr.file_flags = 1 << 14, attr.path_fd = map);
	PIN("pin by an fd unasked", "by-none", prog, attr.path_fd = folder);
	PIN("pin with flags that are none", "flags", prog, attr.file_flags = 1);
	PIN("pin in no folder", "no/such", prog, 0);
	PIN("pin in a file", "map/such", prog, 0);
	PIN("pin outside", "/tmp/such", prog, 0);
	PIN("pin a folder", "slash/", prog, 0);
	PIN("pin here", ".", prog, 0);
	PIN("pin above", "..", prog, 0);
	PIN("pin at the root", "/", prog, 0);
	PIN("pin nowhere", "", prog, 0);
	PIN("pin at no path", NULL, prog, 0);
	PIN("pin into a hole", memset(end - 4, 'a', 4), prog, 0);
	PIN("pin without end", endless, prog, 0);
	PIN("pin what is no object", "stdin", 0, 0);
	PIN("pin nothing", "nothing", -1, 0);
	GET("get", path, 0);
	GET("get where the work is", "map", attr.file_flags = BPF_F_RDONLY);
	symlink("prog", "link");
	GET("get through a link", "link", 0);
	GET("get by a folder's fd", "by-fd", attr.file_flags = 1 << 14, attr.path_fd = folder);
	GET("get by an fd unasked", "by-fd", attr.path_fd = folder);
	GET("get nothing", "no/such", 0);
	GET("get a folder", ".", 0);
	GET("get at no path", NULL, 0);
	GET("get into a hole", end - 4, 0);
	GET("get without end", endless, 0);
	unlink("prog"), unlink("map"), unlink("by-fd"), unlink("link");
}

static void types(void)
{
	struct {
		struct btf_header header;
		struct btf_type number;
		uint32_t encoding;
		char names[8];
	} blob = {
		.header = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(blob.header), .type_len = 16, .str_off = 16, .str_len = 8},
		.number = {.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4},
		.encoding = BTF_INT_SIGNED << 24 | 32,
		.names = "\0int",
	}, wrong = blob;
	char *end = hole(), log[4096];
	union bpf_attr attr;

	wrong.number.size = 3;
#define BTF(what, at, length, ...) \
	(memset(&attr, 0, sizeof(attr)), log[0] = 0, attr.btf = (uintptr_t)(at), attr.btf_size = (length), (void)(__VA_ARGS__), \
	 say(what, bpf(BPF_BTF_LOAD, &attr, sizeof(attr))), printf("  log: %d, %u\n", log[0] != 0, attr.btf_log_true_size))
	BTF("types", &blob, sizeof(blob), 0);
	BTF("types with a log", &blob, sizeof(blob), attr.btf_log_buf = (uintptr_t)log, attr.btf_log_size = sizeof(log),
	    attr.btf_log_level = 1);
	BTF("wrong types with a log", &wrong, sizeof(wrong), attr.btf_log_buf = (uintptr_t)log,
	    attr.btf_log_size = sizeof(log), attr.btf_log_level = 1);
	BTF("wrong types with little room", &wrong, sizeof(wrong), attr.btf_log_buf = (uintptr_t)log, attr.btf_log_size = 16,
	    attr.btf_log_level = 1);
	BTF("a log without room", &blob, sizeof(blob), attr.btf_log_buf = (uintptr_t)log, attr.btf_log_level = 1);
	BTF("a log without a level", &blob, sizeof(blob), attr.btf_log_buf = (uintptr_t)log, attr.btf_log_size = sizeof(log));
	BTF("a log without a place", &blob, sizeof(blob), attr.btf_log_size = sizeof(log), attr.btf_log_level = 1);
	BTF("types cut short", &blob, sizeof(blob) - 4, 0);
	BTF("no types", &blob, 0, 0);
	BTF("types in no memory", NULL, 64, 0);
	BTF("types into a hole", end - 16, sizeof(blob), 0);
	BTF("types of 16 MiB and one", &blob, (16 << 20) + 1, 0);
	BTF("types without end", &blob, 0xffffffff, 0);
	BTF("types with flags that are none", &blob, sizeof(blob), attr.btf_flags = 1);
}

// ---- an fd from outside
// ----------------------------------------------------------------------------------------------

static int passed(int sends)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0), fd = -1, peer = sock;
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", getenv("SOCKET"));
	if (sends) {
		fd = load_as(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, GOOD);
		bind(sock, (struct sockaddr *)&address, sizeof(address));
		listen(sock, 1);
		peer = accept(sock, NULL, NULL);
		*header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
		sendmsg(peer, &message, 0);
		read(peer, &byte, 1);
		return fd;
	}
	for (int tries = 0; connect(sock, (struct sockaddr *)&address, sizeof(address)); tries++) {
		if (tries == 6000)
			perror("connecting"), exit(3);
		usleep(10000);
	}
	if (recvmsg(sock, &message, 0) != 1 || (header = CMSG_FIRSTHDR(&message)) == NULL)
		perror("receiving"), exit(3);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static void strangers(void)
{
	union bpf_attr attr = {.raw_tracepoint = {.name = (uintptr_t)"sched_switch", .prog_fd = passed(0)}};

	say("a program from outside", bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr)));
}

static void serve(void)
{
	passed(1);
}

static void loader(void)
{
	union bpf_attr attr;

	fill(&attr, GOOD, 2);
	attr.prog_type = BPF_PROG_TYPE_SYSCALL;
	attr.prog_flags = BPF_F_SLEEPABLE;
	int prog = say("a program that calls bpf(2)", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	attr = (union bpf_attr){.test = {.prog_fd = prog}};
	say("run it", bpf(BPF_PROG_TEST_RUN, &attr, sizeof(attr)));
}

static const struct {
	const char *name;
	void (*run)(void);
} COMMANDS[] = {
	{"tracepoints", tracepoints}, {"links", links}, {"attachments", attachments}, {"runs", runs}, {"pins", pins},
	{"types", types}, {"strangers", strangers}, {"serve", serve}, {"loader", loader},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(*COMMANDS); i++)
		if (argc > 1 && !strcmp(COMMANDS[i].name, argv[1]))
			return COMMANDS[i].run(), 0;
	return 2;
}
