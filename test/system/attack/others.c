// others HOW [WHERE]: attaches a program as somebody outside of the gate does, and holds what it is attached by only
// where HOW says so:
//   xdp-link DEVICE PIN   by a link, which is pinned
//   tcx-link DEVICE PIN   the same at the ingress of tcx
//   tcx DEVICE            by BPF_PROG_ATTACH, at the ingress of tcx
//   raw-link PIN          to a tracepoint, by a link that is pinned
//   cgroup PATH           by BPF_PROG_ATTACH, to the egress of a cgroup
//   socket COMMAND…       to a socket, by SO_ATTACH_BPF, which the command inherits as fd 7; says what is left
//   event COMMAND…        to an event of this process, which the command inherits as fd 7; says what is left
// Prints `attached` with the id of the program; later `there ID` says whether a program with that id is left. What a
// command behind the gate tries with these: `detach-any TYPE TARGET`, `detach-by-id TYPE TARGET ID`, `detach-link ID`,
// `detach-pin PIN`, and `detach-socket` and `detach-event` with fd 7.
#include "bpf.h"
#include <linux/perf_event.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef BPF_TCX_INGRESS
#define BPF_TCX_INGRESS 46
#endif

static int stop(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
	return 1;
}

static int done(const char *what, long result)
{
	return result < 0 ? stop(what) : (printf("%s: done\n", what), 0);
}

static int program(unsigned type, unsigned attach_type)
{
	union bpf_attr attr;

	fill(&attr, GOOD, 2);
	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static uint32_t id_of(int fd)
{
	struct bpf_prog_info info;

	return prog_info(fd, &info) ? 0 : info.id;
}

static int attached(int prog)
{
	printf("attached %u\n", id_of(prog));
	return 0;
}

static int pin(int fd, const char *path)
{
	union bpf_attr attr = {.pathname = (uintptr_t)path, .bpf_fd = fd};

	return bpf(BPF_OBJ_PIN, &attr, sizeof(attr));
}

static int by_link(unsigned type, unsigned attach_type, int target, const char *path)
{
	int prog = program(type, attach_type);
	union bpf_attr attr = {.link_create = {.prog_fd = prog, .target_fd = target, .attach_type = attach_type}};
	int link = prog < 0 ? -1 : bpf(BPF_LINK_CREATE, &attr, sizeof(attr));

	if (link < 0 || pin(link, path))
		return stop("attaching");
	return attached(prog);
}

static int raw(const char *path)
{
	int prog = program(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	union bpf_attr attr = {.raw_tracepoint = {.name = (uintptr_t)"sched_process_exit", .prog_fd = prog}};
	int link = prog < 0 ? -1 : bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));

	if (link < 0 || pin(link, path))
		return stop("attaching");
	return attached(prog);
}

static int by_attach(unsigned type, unsigned attach_type, int target)
{
	int prog = program(type, attach_type);
	union bpf_attr attr = {.target_fd = target, .attach_bpf_fd = prog, .attach_type = attach_type};

	if (prog < 0 || bpf(BPF_PROG_ATTACH, &attr, sizeof(attr)))
		return stop("attaching");
	return attached(prog);
}

static int is_there(uint32_t id)
{
	union bpf_attr attr = {.prog_id = id};
	int fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));

	// an open fd would hold it
	close(fd);
	return fd >= 0;
}

// Programs are freed some time after what held them is gone.
static int there(uint32_t id)
{
	int left = is_there(id);

	for (int turn = 0; left && turn < 100; turn++)
		usleep(10000), left = is_there(id);
	return puts(left ? "attached" : "detached"), 0;
}

// Runs a command that inherits fd 7; returns when it has ended.
static void behind(char **command)
{
	pid_t child = fork();

	fflush(stdout);
	if (child == 0) {
		execvp(*command, command);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

static int on_socket(char **command)
{
	int pair[2], prog = program(BPF_PROG_TYPE_SOCKET_FILTER, 0);
	uint32_t id = id_of(prog);

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) || dup2(pair[0], 7) < 0)
		return stop("socketpair");
	if (setsockopt(7, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)))
		return stop("attaching");
	close(pair[0]);
	close(prog);
	behind(command);
	return there(id);
}

static int on_event(char **command)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK};
	uint64_t before = 0, after = 0;
	int event = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (event < 0 || dup2(event, 7) < 0)
		return stop("perf_event_open");
	behind(command);
	if (read(7, &before, 8) != 8)
		return stop("reading");
	for (volatile int i = 0; i < 1000000; i++)
		;
	if (read(7, &after, 8) != 8)
		return stop("reading");
	return puts(after > before ? "attached" : "detached"), 0;
}

static int target_of(unsigned type, const char *name)
{
	return type == BPF_CGROUP_INET_EGRESS ? open(name, O_RDONLY | O_DIRECTORY) : (int)if_nametoindex(name);
}

static int detach(unsigned type, const char *target, int prog)
{
	union bpf_attr attr = {.target_fd = target_of(type, target), .attach_bpf_fd = prog, .attach_type = type};

	return done("detaching", bpf(BPF_PROG_DETACH, &attr, sizeof(attr)));
}

static int detach_link(int link)
{
	union bpf_attr attr = {.link_detach = {.link_fd = link}};

	return link < 0 ? stop("opening") : done("detaching", bpf(BPF_LINK_DETACH, &attr, sizeof(attr)));
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "", *where = argc > 2 ? argv[2] : "";
	union bpf_attr attr = {};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(how, "xdp-link") == 0)
		return by_link(BPF_PROG_TYPE_XDP, BPF_XDP, if_nametoindex(where), argv[3]);
	if (strcmp(how, "tcx-link") == 0)
		return by_link(BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, if_nametoindex(where), argv[3]);
	if (strcmp(how, "tcx") == 0)
		return by_attach(BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, if_nametoindex(where));
	if (strcmp(how, "cgroup") == 0)
		return by_attach(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, open(where, O_RDONLY | O_DIRECTORY));
	if (strcmp(how, "raw-link") == 0)
		return raw(where);
	if (strcmp(how, "socket") == 0)
		return on_socket(argv + 2);
	if (strcmp(how, "event") == 0)
		return on_event(argv + 2);
	if (strcmp(how, "there") == 0)
		return there(atoi(where));
	if (strcmp(how, "detach-any") == 0)
		return detach(atoi(where), argv[3], 0);
	if (strcmp(how, "detach-by-id") == 0) {
		attr.prog_id = atoi(argv[4]);
		int prog = bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
		return prog < 0 ? stop("opening") : detach(atoi(where), argv[3], prog);
	}
	if (strcmp(how, "detach-link") == 0) {
		attr.link_id = atoi(where);
		return detach_link(bpf(BPF_LINK_GET_FD_BY_ID, &attr, sizeof(attr)));
	}
	if (strcmp(how, "detach-pin") == 0) {
		attr.pathname = (uintptr_t)where;
		return detach_link(bpf(BPF_OBJ_GET, &attr, sizeof(attr)));
	}
	if (strcmp(how, "detach-socket") == 0) {
		int none = 0;
		return done("detaching", setsockopt(7, SOL_SOCKET, SO_DETACH_BPF, &none, sizeof(none)));
	}
	if (strcmp(how, "detach-event") == 0)
		return done("detaching", ioctl(7, PERF_EVENT_IOC_DISABLE, 0));
	return 2;
}
