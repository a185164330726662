/* Loads programs and attaches them by links, in the network namespace that it is started in; prints what it made, then
 * waits until its standard input is closed. With a folder, it pins programs there and closes them; with that of a
 * cgroup after it, it attaches a program to that. */
#include "programs.h"
#include <fcntl.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>

static int pin(int program, const char *folder, const char *name)
{
	char path[256];
	union bpf_attr attr;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uintptr_t)path;
	attr.bpf_fd = program;
	return bpf(BPF_OBJ_PIN, &attr, sizeof(attr));
}

/* Attaches a program to a tracepoint by ioctl(2). `folder` has a tracefs beside it. */
static int event_of(int program, const char *folder)
{
	struct perf_event_attr event;
	char path[256], id[16] = "";
	int file, fd;

	snprintf(path, sizeof(path), "%s/../tracing/events/sched/sched_process_free/id", folder);
	file = open(path, O_RDONLY);
	if (file < 0 || read(file, id, sizeof(id) - 1) <= 0)
		return -1;
	close(file);
	memset(&event, 0, sizeof(event));
	event.type = PERF_TYPE_TRACEPOINT;
	event.size = sizeof(event);
	event.config = atoi(id);
	event.sample_period = 1;
	fd = syscall(SYS_perf_event_open, &event, -1, 0, -1, 0);
	return fd < 0 ? -1 : ioctl(fd, PERF_EVENT_IOC_SET_BPF, program);
}

int main(int argc, char **argv)
{
	union bpf_attr attr;
	int map, program, result, loopback = if_nametoindex("lo"), netns = open("/proc/self/ns/net", O_RDONLY);

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_HASH;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.max_entries = 3;
	strcpy(attr.map_name, "scan_map");
	map = bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	program = load("scan_held", BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, map);
	said("scan_held", program, 0);
	program = load("scan_tcx", BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, -1, -1);
	said("scan_tcx", program, link_to(program, loopback, BPF_TCX_INGRESS));
	program = load("scan_xdp", BPF_PROG_TYPE_XDP, BPF_XDP, 2, -1);
	said("scan_xdp", program, link_to(program, loopback, BPF_XDP));
	program = load("scan_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, 1, -1);
	said("scan_lookup", program, link_to(program, netns, BPF_SK_LOOKUP));
	program = load("scan_raw", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, -1);
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.name = (uintptr_t)"sched_wakeup_new";
	attr.raw_tracepoint.prog_fd = program;
	result = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
	said("scan_raw", program, result);
	program = load("scan_egress", BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_EGRESS, -1, -1);
	said("scan_egress", program, attach(program, loopback, BPF_TCX_EGRESS));
	program = load("scan_dissector", BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, 0, -1);
	said("scan_dissector", program, attach(program, 0, BPF_FLOW_DISSECTOR));
	program = load("scan_verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_VERDICT, 1, -1);
	said("scan_verdict", program, attach(program, map_of(BPF_MAP_TYPE_SOCKMAP), BPF_SK_SKB_STREAM_VERDICT));
	program = load("scan_element", BPF_PROG_TYPE_SCHED_CLS, 0, 0, -1);
	said("scan_element", program, put(map_of(BPF_MAP_TYPE_PROG_ARRAY), 1, program));
	if (argc > 1) {
		program = load("scan_event", BPF_PROG_TYPE_TRACEPOINT, 0, 0, -1);
		said("scan_event", program, event_of(program, argv[1]));
	}
	if (argc > 2) {
		program = load("scan_cgroup", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 1, -1);
		said("scan_cgroup", program, attach(program, open(argv[2], O_RDONLY), BPF_CGROUP_INET_INGRESS));
	}
	if (argc > 1) {
		program = load("scan_pinned", BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, -1);
		said("scan_pinned", program, pin(program, argv[1], "scan_pinned"));
		close(program);
		program = load("scan_filter", BPF_PROG_TYPE_SCHED_CLS, 0, -1, -1);
		said("scan_filter", program, pin(program, argv[1], "scan_filter"));
		close(program);
	}
	hold();
	return 0;
}
