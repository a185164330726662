// Valid calls of bpf(2): at least one of each command, with the fields that it sets. A kernel that lacks a feature
// rejects some of them.
#pragma once
#include "bpf.h"
#include <linux/btf.h>
#include <linux/if_link.h>
#include <linux/perf_event.h>
#include <sched.h>

// What a field of bpf_attr is: the faults of a call depend on it.
enum kind { END, NUMBER, FLAGS, CHOICE, ID, FD, COUNT, SIZE, NAME, MEMORY, TEXT, PATH, BODY };

struct field {
	const char *name;
	unsigned at, width;
	enum kind kind;
	uint64_t value;
	const int *fd;
	const void *memory;
};

#define U32(kind, name, at, value) {name, at, 4, kind, value}
#define U64(kind, name, at, value) {name, at, 8, kind, value}
#define FDOF(name, at, of) {name, at, 4, FD, 0, &have.of}
#define POINTS(kind, name, at, memory) {name, at, 8, kind, 0, NULL, memory}

#define FIELDS 16

struct call {
	const char *command;
	int number;
	const char *name;
	// Of the part of bpf_attr that the command has in the newest kernel.
	unsigned size;
	int gives_fd;
	// Puts the objects that a call uses up into their state.
	void (*before)(void);
	// Reverts a call that succeeded.
	void (*after)(void);
	struct field fields[FIELDS];
};

static struct {
	int array, hash, queue, sockmap, fresh, program, xdp, other, raw, cls, skb, sock, other_sock, lookup, sampler, netfilter, verdict, probe;
	int iterator, cgroups, tracing, link, raw_link, iterator_link, btf, event, cgroup, net, folder, null;
	int pid, program_id, map_id, link_id, btf_id, iterator_type, cgroups_type, tracing_type;
} have;

static char key[64], value[4096], packet[64], out[4096], verifier_log[65536];
static char pin[256], new_pin[256], program_file[256];
// Followed by zeros.
static int fd_array[8192];
static uint64_t offsets[] = {64, 128};
static int of_cgroup[4] = {1 /* BPF_CGROUP_ITER_SELF_ONLY */};

static const struct bpf_insn ONE[2] = {MOV0(1), EXIT}, ZERO[2] = {MOV0(0), EXIT};
static struct bpf_insn by_fd[4] = {{.code = 0x18, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD}, {}, MOV0(0), EXIT};
static const struct bpf_insn BY_INDEX[4] = {{.code = 0x18, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_IDX}, {}, MOV0(0), EXIT};

// BTF of `int` and of `int f(void)`, and the records of a program of this function.
static const struct {
	struct btf_header header;
	uint32_t number[4], prototype[3], function[3];
	char text[12];
} TYPES = {{.magic = BTF_MAGIC, .version = 1, .hdr_len = sizeof(struct btf_header), .type_len = 40, .str_off = 40, .str_len = 12},
	   {1, BTF_KIND_INT << 24, 4, 1 << 24 | 32},
	   {0, BTF_KIND_FUNC_PROTO << 24, 1},
	   {5, BTF_KIND_FUNC << 24, 2},
	   "\0int\0f\0000"};
static const uint32_t FUNCTION[2] = {0, 3}, LINE[4] = {0, 5, 5, 1024}, RELOCATION[4] = {0, 1, 7, 8 /* BPF_CORE_TYPE_EXISTS */};

static long send(int command, unsigned size, union bpf_attr attr)
{
	return bpf(command, &attr, size);
}
#define CALL(command, size, ...) send(command, size, (union bpf_attr){__VA_ARGS__})

static int load_as(unsigned type, unsigned attach_type, unsigned btf_id, const struct bpf_insn *insns)
{
	union bpf_attr attr;

	fill(&attr, insns, 2);
	attr.prog_type = type;
	attr.expected_attach_type = attach_type;
	attr.attach_btf_id = btf_id;
	return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

static int map_of(unsigned type, unsigned key_size)
{
	// elements of two hashes are in the same order
	return CALL(BPF_MAP_CREATE, 72, .map_type = type, .key_size = key_size, .value_size = 8, .max_entries = 4,
		    .map_flags = type == BPF_MAP_TYPE_HASH ? BPF_F_ZERO_SEED : 0);
}

static void new_map(void)
{
	close(have.fresh);
	have.fresh = map_of(BPF_MAP_TYPE_HASH, 4);
}

static void new_link(void)
{
	close(have.link);
	have.link = CALL(BPF_LINK_CREATE, 16, .link_create = {.prog_fd = have.sock, .target_fd = have.cgroup, .attach_type = BPF_CGROUP_INET_SOCK_CREATE});
}

static void element(void)
{
	memset(key, 0, sizeof(key));
	CALL(BPF_MAP_UPDATE_ELEM, 32, .map_fd = have.hash, .key = (uintptr_t)key, .value = (uintptr_t)value);
	CALL(BPF_MAP_UPDATE_ELEM, 32, .map_fd = have.queue, .value = (uintptr_t)value);
}

static void unpin(void)
{
	static const char *const NAMES[] = {"", "no such name", "such"};

	unlink(new_pin);
	for (int i = 0; i < 3; i++)
		unlinkat(have.folder, NAMES[i], 0);
}

static void detach_all(void)
{
	const int types[] = {BPF_CGROUP_INET_EGRESS, BPF_CGROUP_INET_INGRESS};

	for (int i = 0; i < 2; i++)
		while (CALL(BPF_PROG_DETACH, 20, .target_fd = have.cgroup, .attach_bpf_fd = have.skb, .attach_type = types[i]) == 0)
			;
	CALL(BPF_PROG_DETACH, 20, .target_fd = have.sockmap, .attach_bpf_fd = have.verdict, .attach_type = BPF_SK_SKB_VERDICT);
	CALL(BPF_PROG_DETACH, 32, .target_ifindex = 1, .attach_bpf_fd = have.cls, .attach_type = BPF_TCX_INGRESS);
}

static void attach_all(void)
{
	detach_all();
	CALL(BPF_PROG_ATTACH, 20, .target_fd = have.cgroup, .attach_bpf_fd = have.skb, .attach_type = BPF_CGROUP_INET_EGRESS,
	     .attach_flags = BPF_F_ALLOW_MULTI);
	CALL(BPF_PROG_ATTACH, 20, .target_fd = have.sockmap, .attach_bpf_fd = have.verdict, .attach_type = BPF_SK_SKB_VERDICT);
	CALL(BPF_PROG_ATTACH, 32, .target_ifindex = 1, .attach_bpf_fd = have.cls, .attach_type = BPF_TCX_INGRESS);
}

#define NOFD(name, at) U32(FD, name, at, 0)
#define MAP(name, type, key_size, value_size, entries, flags, ...) \
	{"BPF_MAP_CREATE", 0, name, 96, 1, NULL, NULL, \
	 {U32(CHOICE, "map_type", 0, type), U32(SIZE, "key_size", 4, key_size), U32(SIZE, "value_size", 8, value_size), \
	  U32(SIZE, "max_entries", 12, entries), U32(FLAGS, "map_flags", 16, flags), U32(NUMBER, "numa_node", 24, 0), \
	  {"map_name", 28, 16, NAME}, U32(NUMBER, "map_ifindex", 44, 0), U64(NUMBER, "map_extra", 64, 0), \
	  NOFD("map_token_fd", 76), ##__VA_ARGS__}}
#define TYPED FDOF("btf_fd", 48, btf), U32(ID, "btf_key_type_id", 52, 1), U32(ID, "btf_value_type_id", 56, 1)
#define ELEMENT(command, number, name, map, of_key, of_value) \
	{command, number, name, 32, 0, element, NULL, \
	 {FDOF("map_fd", 0, map), POINTS(MEMORY, "key", 8, of_key), POINTS(MEMORY, "value", 16, of_value), U64(FLAGS, "flags", 24, 0)}}
#define BATCH(command, number) \
	{command, number, "hash", 56, 0, element, NULL, \
	 {U64(NUMBER, "in_batch", 0, 0), POINTS(MEMORY, "out_batch", 8, out), POINTS(MEMORY, "keys", 16, key), \
	  POINTS(MEMORY, "values", 24, value), U32(COUNT, "count", 32, 1), FDOF("map_fd", 36, hash), \
	  U64(FLAGS, "elem_flags", 40, 0), U64(FLAGS, "flags", 48, 0)}}
#define LOAD(name, type, attach_type, body, count, ...) \
	{"BPF_PROG_LOAD", 5, name, 168, 1, NULL, NULL, \
	 {U32(CHOICE, "prog_type", 0, type), U32(COUNT, "insn_cnt", 4, count), POINTS(BODY, "insns", 8, body), \
	  POINTS(TEXT, "license", 16, "GPL"), U32(FLAGS, "prog_flags", 44, 0), {"prog_name", 48, 16, NAME}, \
	  U32(NUMBER, "prog_ifindex", 64, 0), U32(CHOICE, "expected_attach_type", 68, attach_type), ##__VA_ARGS__}}
#define RECORDS \
	FDOF("prog_btf_fd", 72, btf), U32(COUNT, "func_info_rec_size", 76, 8), POINTS(MEMORY, "func_info", 80, FUNCTION), \
		U32(COUNT, "func_info_cnt", 88, 1), U32(COUNT, "line_info_rec_size", 92, 16), POINTS(MEMORY, "line_info", 96, LINE), \
		U32(COUNT, "line_info_cnt", 104, 1)
#define ATTACH(command, number, name, target, program, type, flags, before, after) \
	{command, number, name, 32, 0, before, after, \
	 {target, FDOF("attach_bpf_fd", 4, program), U32(CHOICE, "attach_type", 8, type), U32(FLAGS, "attach_flags", 12, flags), \
	  NOFD("replace_bpf_fd", 16), NOFD("relative_fd", 20), U64(NUMBER, "expected_revision", 24, 0)}}
#define RUN(name, program, in, in_size, to, context, context_size) \
	{"BPF_PROG_TEST_RUN", 10, name, 80, 0, NULL, NULL, \
	 {FDOF("prog_fd", 0, program), U32(NUMBER, "retval", 4, 0), U32(COUNT, "data_size_in", 8, in_size), \
	  U32(COUNT, "data_size_out", 12, in_size), POINTS(MEMORY, "data_in", 16, in), POINTS(MEMORY, "data_out", 24, to), \
	  U32(NUMBER, "repeat", 32, 0), U32(NUMBER, "duration", 36, 0), U32(COUNT, "ctx_size_in", 40, context_size), \
	  U32(COUNT, "ctx_size_out", 44, 0), POINTS(MEMORY, "ctx_in", 48, context), POINTS(MEMORY, "ctx_out", 56, NULL), \
	  U32(FLAGS, "flags", 64, 0), U32(NUMBER, "cpu", 68, 0), U32(NUMBER, "batch_size", 72, 0)}}
#define BY_ID(command, number, of) {command, number, #of, 12, 1, NULL, NULL, \
	{{"id", 0, 4, ID, 0, &have.of##_id}, U32(ID, "next_id", 4, 0), U32(FLAGS, "open_flags", 8, 0)}}
#define NEXT_ID(command, number) {command, number, "first", 12, 0, NULL, NULL, {U32(ID, "start_id", 0, 0), U32(NUMBER, "open_flags", 8, 0)}}
#define INFO(of) {"BPF_OBJ_GET_INFO_BY_FD", 15, #of, 16, 0, NULL, NULL, \
	{FDOF("bpf_fd", 0, of), U32(COUNT, "info_len", 4, 16), POINTS(MEMORY, "info", 8, out)}}
#define LINK(name, program, target, type, flags, ...) \
	{"BPF_LINK_CREATE", 28, name, 64, 1, NULL, NULL, \
	 {FDOF("prog_fd", 0, program), target, U32(CHOICE, "attach_type", 8, type), U32(FLAGS, "flags", 12, flags), ##__VA_ARGS__}}
#define TARGET_FD(of) FDOF("target_fd", 4, of)
#define TARGET_INTERFACE U32(ID, "target_ifindex", 4, 1)
#define NO_TARGET NOFD("target_fd", 4)
#define ORDER NOFD("relative_fd", 16), U64(NUMBER, "expected_revision", 24, 0)

static const struct call CALLS[] = {
	MAP("array", BPF_MAP_TYPE_ARRAY, 4, 8, 4, 0),
	MAP("hash", BPF_MAP_TYPE_HASH, 4, 8, 4, BPF_F_NO_PREALLOC),
	MAP("ring buffer", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0),
	MAP("queue", BPF_MAP_TYPE_QUEUE, 0, 8, 4, 0),
	MAP("typed array", BPF_MAP_TYPE_ARRAY, 4, 4, 4, 0, TYPED),
	MAP("storage of sockets", BPF_MAP_TYPE_SK_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC, TYPED),
	MAP("array of maps", BPF_MAP_TYPE_ARRAY_OF_MAPS, 4, 4, 4, 0, FDOF("inner_map_fd", 20, array)),
	ELEMENT("BPF_MAP_LOOKUP_ELEM", 1, "hash", hash, key, value),
	ELEMENT("BPF_MAP_UPDATE_ELEM", 2, "hash", hash, key, value),
	ELEMENT("BPF_MAP_DELETE_ELEM", 3, "hash", hash, key, NULL),
	ELEMENT("BPF_MAP_GET_NEXT_KEY", 4, "hash", hash, NULL, out),
	ELEMENT("BPF_MAP_LOOKUP_AND_DELETE_ELEM", 21, "queue", queue, NULL, value),
	LOAD("filter", BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 2, U32(NUMBER, "kern_version", 40, 0), NOFD("prog_btf_fd", 72),
	     NOFD("prog_token_fd", 144), POINTS(MEMORY, "core_relos", 128, NULL), U32(COUNT, "core_relo_cnt", 116, 0),
	     U32(COUNT, "core_relo_rec_size", 136, 0), POINTS(MEMORY, "fd_array", 120, NULL), NOFD("attach_prog_fd", 112)),
	LOAD("xdp with a log", BPF_PROG_TYPE_XDP, BPF_XDP, GOOD, 2, U32(FLAGS, "log_level", 24, 1), U32(COUNT, "log_size", 28, 65536),
	     POINTS(MEMORY, "log_buf", 32, verifier_log), U32(NUMBER, "log_true_size", 140, 0)),
	LOAD("filter with records", BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 2, RECORDS),
	LOAD("filter with a relocation", BPF_PROG_TYPE_SOCKET_FILTER, 0, ONE, 2, FDOF("prog_btf_fd", 72, btf),
	     U32(COUNT, "func_info_rec_size", 76, 8), POINTS(MEMORY, "func_info", 80, FUNCTION), U32(COUNT, "func_info_cnt", 88, 1),
	     POINTS(MEMORY, "core_relos", 128, RELOCATION), U32(COUNT, "core_relo_cnt", 116, 1), U32(COUNT, "core_relo_rec_size", 136, 16)),
	LOAD("filter with types that are not read", BPF_PROG_TYPE_SOCKET_FILTER, 0, GOOD, 2, FDOF("prog_btf_fd", 72, btf)),
	LOAD("filter with a relocation alone", BPF_PROG_TYPE_SOCKET_FILTER, 0, ONE, 2, FDOF("prog_btf_fd", 72, btf),
	     POINTS(MEMORY, "core_relos", 128, RELOCATION), U32(COUNT, "core_relo_cnt", 116, 1), U32(COUNT, "core_relo_rec_size", 136, 16)),
	LOAD("filter with a map", BPF_PROG_TYPE_SOCKET_FILTER, 0, by_fd, 4),
	LOAD("filter with an array of fds", BPF_PROG_TYPE_SOCKET_FILTER, 0, BY_INDEX, 4, POINTS(MEMORY, "fd_array", 120, fd_array)),
	LOAD("filter with a counted array", BPF_PROG_TYPE_SOCKET_FILTER, 0, BY_INDEX, 4, POINTS(MEMORY, "fd_array", 120, fd_array),
	     U32(COUNT, "fd_array_cnt", 148, 1)),
	LOAD("egress of a cgroup", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, ONE, 2),
	LOAD("iterator", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, ZERO, 2, {"attach_btf_id", 108, 4, ID, 0, &have.iterator_type},
	     NOFD("attach_btf_obj_fd", 112)),
	{"BPF_OBJ_PIN", 6, "path", 24, 0, NULL, unpin,
	 {POINTS(PATH, "pathname", 0, new_pin), FDOF("bpf_fd", 8, array), U32(FLAGS, "file_flags", 12, 0), NOFD("path_fd", 16)}},
	{"BPF_OBJ_PIN", 6, "name in a folder", 24, 0, NULL, unpin,
	 {POINTS(PATH, "pathname", 0, "new"), FDOF("bpf_fd", 8, program), U32(FLAGS, "file_flags", 12, 1 << 14), FDOF("path_fd", 16, folder)}},
	{"BPF_OBJ_GET", 7, "path", 24, 1, NULL, NULL,
	 {POINTS(PATH, "pathname", 0, pin), NOFD("bpf_fd", 8), U32(FLAGS, "file_flags", 12, 0), NOFD("path_fd", 16)}},
	{"BPF_OBJ_GET", 7, "name in a folder", 24, 1, NULL, NULL,
	 {POINTS(PATH, "pathname", 0, "pin"), NOFD("bpf_fd", 8), U32(FLAGS, "file_flags", 12, 1 << 14), FDOF("path_fd", 16, folder)}},
	ATTACH("BPF_PROG_ATTACH", 8, "cgroup", FDOF("target_fd", 0, cgroup), skb, BPF_CGROUP_INET_EGRESS, BPF_F_ALLOW_MULTI, detach_all, NULL),
	ATTACH("BPF_PROG_ATTACH", 8, "map of sockets", FDOF("target_fd", 0, sockmap), verdict, BPF_SK_SKB_VERDICT, 0, detach_all, NULL),
	ATTACH("BPF_PROG_ATTACH", 8, "interface", U32(ID, "target_ifindex", 0, 1), cls, BPF_TCX_INGRESS, 0, detach_all, NULL),
	ATTACH("BPF_PROG_DETACH", 9, "cgroup", FDOF("target_fd", 0, cgroup), skb, BPF_CGROUP_INET_EGRESS, 0, attach_all, NULL),
	ATTACH("BPF_PROG_DETACH", 9, "map of sockets", FDOF("target_fd", 0, sockmap), verdict, BPF_SK_SKB_VERDICT, 0, attach_all, NULL),
	ATTACH("BPF_PROG_DETACH", 9, "interface", U32(ID, "target_ifindex", 0, 1), cls, BPF_TCX_INGRESS, 0, attach_all, detach_all),
	RUN("xdp", xdp, packet, 64, out, NULL, 0),
	RUN("classifier", cls, packet, 64, out, NULL, 0),
	RUN("tracepoint", raw, NULL, 0, NULL, value, 16),
	NEXT_ID("BPF_PROG_GET_NEXT_ID", 11),
	NEXT_ID("BPF_MAP_GET_NEXT_ID", 12),
	BY_ID("BPF_PROG_GET_FD_BY_ID", 13, program),
	BY_ID("BPF_MAP_GET_FD_BY_ID", 14, map),
	INFO(program),
	INFO(array),
	INFO(link),
	INFO(btf),
	{"BPF_PROG_QUERY", 16, "cgroup", 64, 0, NULL, NULL,
	 {FDOF("target_fd", 0, cgroup), U32(CHOICE, "attach_type", 4, BPF_CGROUP_INET_EGRESS), U32(FLAGS, "query_flags", 8, 0),
	  U32(NUMBER, "attach_flags", 12, 0), POINTS(MEMORY, "prog_ids", 16, out), U32(COUNT, "prog_cnt", 24, 16)}},
	{"BPF_RAW_TRACEPOINT_OPEN", 17, "raw tracepoint", 24, 1, NULL, NULL,
	 {POINTS(TEXT, "name", 0, "sched_switch"), FDOF("prog_fd", 8, raw), U64(NUMBER, "cookie", 16, 0)}},
	{"BPF_RAW_TRACEPOINT_OPEN", 17, "traced tracepoint", 24, 1, NULL, NULL,
	 {POINTS(TEXT, "name", 0, NULL), FDOF("prog_fd", 8, tracing), U64(NUMBER, "cookie", 16, 0)}},
	{"BPF_BTF_LOAD", 18, "types", 40, 1, NULL, NULL,
	 {POINTS(MEMORY, "btf", 0, &TYPES), U32(COUNT, "btf_size", 16, sizeof(TYPES)), U32(FLAGS, "btf_flags", 32, 0),
	  NOFD("btf_token_fd", 36), POINTS(MEMORY, "btf_log_buf", 8, NULL), U32(COUNT, "btf_log_size", 20, 0)}},
	{"BPF_BTF_LOAD", 18, "types with a log", 40, 1, NULL, NULL,
	 {POINTS(MEMORY, "btf", 0, &TYPES), POINTS(MEMORY, "btf_log_buf", 8, verifier_log), U32(COUNT, "btf_size", 16, sizeof(TYPES)),
	  U32(COUNT, "btf_log_size", 20, 65536), U32(FLAGS, "btf_log_level", 24, 1), U32(NUMBER, "btf_log_true_size", 28, 0)}},
	BY_ID("BPF_BTF_GET_FD_BY_ID", 19, btf),
	{"BPF_TASK_FD_QUERY", 20, "raw tracepoint", 48, 0, NULL, NULL,
	 {{"pid", 0, 4, ID, 0, &have.pid}, FDOF("fd", 4, raw_link), U32(FLAGS, "flags", 8, 0), U32(COUNT, "buf_len", 12, 64),
	  POINTS(MEMORY, "buf", 16, out)}},
	{"BPF_MAP_FREEZE", 22, "new map", 4, 0, new_map, NULL, {FDOF("map_fd", 0, fresh)}},
	NEXT_ID("BPF_BTF_GET_NEXT_ID", 23),
	BATCH("BPF_MAP_LOOKUP_BATCH", 24),
	BATCH("BPF_MAP_LOOKUP_AND_DELETE_BATCH", 25),
	BATCH("BPF_MAP_UPDATE_BATCH", 26),
	BATCH("BPF_MAP_DELETE_BATCH", 27),
	LINK("xdp", xdp, TARGET_INTERFACE, BPF_XDP, XDP_FLAGS_SKB_MODE),
	LINK("tcx", cls, TARGET_INTERFACE, BPF_TCX_INGRESS, 0, ORDER),
	LINK("cgroup", skb, TARGET_FD(cgroup), BPF_CGROUP_INET_EGRESS, 0, ORDER),
	LINK("network", lookup, TARGET_FD(net), BPF_SK_LOOKUP, 0),
	LINK("event", sampler, TARGET_FD(event), BPF_PERF_EVENT, 0, U64(NUMBER, "bpf_cookie", 16, 0)),
	LINK("netfilter", netfilter, NO_TARGET, BPF_NETFILTER, 0, U32(CHOICE, "pf", 16, 2), U32(CHOICE, "hooknum", 20, 1),
	     U32(NUMBER, "priority", 24, -128), U32(FLAGS, "flags", 28, 0)),
	LINK("iterator", iterator, NO_TARGET, BPF_TRACE_ITER, 0, POINTS(MEMORY, "iter_info", 16, NULL), U32(COUNT, "iter_info_len", 24, 0)),
	LINK("iterator of cgroups", cgroups, NO_TARGET, BPF_TRACE_ITER, 0, POINTS(MEMORY, "iter_info", 16, of_cgroup),
	     U32(COUNT, "iter_info_len", 24, 16)),
	LINK("traced tracepoint", tracing, NO_TARGET, BPF_TRACE_RAW_TP, 0, U32(ID, "target_btf_id", 16, 0), U64(NUMBER, "cookie", 24, 0)),
	LINK("uprobes", probe, NO_TARGET, BPF_TRACE_UPROBE_MULTI, 0, POINTS(PATH, "path", 16, program_file), POINTS(MEMORY, "offsets", 24, offsets),
	     POINTS(MEMORY, "ref_ctr_offsets", 32, NULL), POINTS(MEMORY, "cookies", 40, offsets), U32(COUNT, "cnt", 48, 2),
	     U32(FLAGS, "flags", 52, 0), U32(ID, "pid", 56, 0)),
	{"BPF_LINK_UPDATE", 29, "cgroup", 16, 0, new_link, NULL,
	 {FDOF("link_fd", 0, link), FDOF("new_prog_fd", 4, other_sock), U32(FLAGS, "flags", 8, 0), NOFD("old_prog_fd", 12)}},
	{"BPF_LINK_UPDATE", 29, "cgroup of another", 16, 0, new_link, NULL,
	 {FDOF("link_fd", 0, link), FDOF("new_prog_fd", 4, other_sock), U32(FLAGS, "flags", 8, BPF_F_REPLACE), FDOF("old_prog_fd", 12, sock)}},
	BY_ID("BPF_LINK_GET_FD_BY_ID", 30, link),
	NEXT_ID("BPF_LINK_GET_NEXT_ID", 31),
	{"BPF_ENABLE_STATS", 32, "run time", 4, 1, NULL, NULL, {U32(CHOICE, "type", 0, 0)}},
	{"BPF_ITER_CREATE", 33, "link", 8, 1, NULL, NULL, {FDOF("link_fd", 0, iterator_link), U32(FLAGS, "flags", 4, 0)}},
	{"BPF_LINK_DETACH", 34, "cgroup", 4, 0, new_link, NULL, {FDOF("link_fd", 0, link)}},
	{"BPF_PROG_BIND_MAP", 35, "array", 12, 0, NULL, NULL, {FDOF("prog_fd", 0, program), FDOF("map_fd", 4, array), U32(FLAGS, "flags", 8, 0)}},
	{"BPF_TOKEN_CREATE", 36, "file system", 8, 1, NULL, NULL, {U32(FLAGS, "flags", 0, 0), FDOF("bpffs_fd", 4, folder)}},
	{"BPF_PROG_STREAM_READ_BY_FD", 37, "output", 24, 0, NULL, NULL,
	 {POINTS(MEMORY, "stream_buf", 0, out), U32(COUNT, "stream_buf_len", 8, 64), U32(CHOICE, "stream_id", 12, 1), FDOF("prog_fd", 16, program)}},
};
#define NUMBER_OF_CALLS (sizeof(CALLS) / sizeof(*CALLS))

// The id of a type of the kernel; 0 if it has none of this name.
static int type_of(const char *name, unsigned kind)
{
	static char btf[64 << 20];
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY), id = 1;
	size_t size = 0;

	for (ssize_t got; (got = read(fd, btf + size, sizeof(btf) - size)) > 0; size += got)
		;
	close(fd);
	const struct btf_header *header = (void *)btf;
	const char *types = btf + header->hdr_len + header->type_off, *texts = btf + header->hdr_len + header->str_off;

	for (const char *at = types; size > 0 && at < types + header->type_len; id++) {
		// bytes after struct btf_type, by kind (linux/btf.h), for each member if there is a second number
		static const unsigned char more[20][2] = {[1] = {4}, [3] = {12}, [4] = {0, 12}, [5] = {0, 12}, [6] = {0, 8}, [13] = {0, 8},
							  [14] = {4}, [15] = {0, 12}, [17] = {4}, [19] = {0, 12}};
		const struct btf_type *type = (void *)at;
		unsigned of = BTF_INFO_KIND(type->info);

		if (of == kind && !strcmp(texts + type->name_off, name))
			return id;
		at += sizeof(*type) + more[of][0] + more[of][1] * BTF_INFO_VLEN(type->info);
	}
	return 0;
}

static int id_of(int fd, int word)
{
	uint32_t info[64] = {};

	CALL(BPF_OBJ_GET_INFO_BY_FD, 16, .info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)info});
	return info[word];
}

// BPFFS is a BPF file system, CGROUP a cgroup, and FILE a program file.
static void set_up(void)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 1000000000};

	unshare(CLONE_NEWNET);
	have.pid = getpid();
	have.array = map_of(BPF_MAP_TYPE_ARRAY, 4);
	have.hash = map_of(BPF_MAP_TYPE_HASH, 4);
	have.queue = map_of(BPF_MAP_TYPE_QUEUE, 0);
	have.sockmap = map_of(BPF_MAP_TYPE_SOCKMAP, 4);
	have.iterator_type = type_of("bpf_iter_bpf_map", BTF_KIND_FUNC);
	have.cgroups_type = type_of("bpf_iter_cgroup", BTF_KIND_FUNC);
	have.tracing_type = type_of("btf_trace_sched_switch", BTF_KIND_TYPEDEF);
	have.program = load_as(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, GOOD);
	have.xdp = load_as(BPF_PROG_TYPE_XDP, BPF_XDP, 0, GOOD);
	have.other = load_as(BPF_PROG_TYPE_XDP, BPF_XDP, 0, ZERO);
	have.raw = load_as(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, ZERO);
	have.cls = load_as(BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, 0, ZERO);
	have.skb = load_as(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 0, ONE);
	have.sock = load_as(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 0, ONE);
	have.other_sock = load_as(BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 0, ONE);
	have.lookup = load_as(BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, 0, ONE);
	have.sampler = load_as(BPF_PROG_TYPE_PERF_EVENT, 0, 0, ZERO);
	have.netfilter = load_as(BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER, 0, ONE);
	have.verdict = load_as(BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_VERDICT, 0, ONE);
	have.probe = load_as(BPF_PROG_TYPE_KPROBE, BPF_TRACE_UPROBE_MULTI, 0, ZERO);
	have.iterator = load_as(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, have.iterator_type, ZERO);
	have.cgroups = load_as(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, have.cgroups_type, ZERO);
	have.tracing = load_as(BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, have.tracing_type, ZERO);
	have.btf = CALL(BPF_BTF_LOAD, 28, .btf = (uintptr_t)&TYPES, .btf_size = sizeof(TYPES));
	have.event = syscall(SYS_perf_event_open, &event, 0, -1, -1, 0);
	have.cgroup = open(getenv("CGROUP"), O_RDONLY);
	have.net = open("/proc/self/ns/net", O_RDONLY);
	have.folder = open(getenv("BPFFS"), O_RDONLY | O_DIRECTORY);
	have.null = open("/dev/null", O_RDWR);
	have.raw_link = CALL(BPF_RAW_TRACEPOINT_OPEN, 12, .raw_tracepoint = {.name = (uintptr_t)"sched_switch", .prog_fd = have.raw});
	have.iterator_link = CALL(BPF_LINK_CREATE, 16, .link_create = {.prog_fd = have.iterator, .attach_type = BPF_TRACE_ITER});
	new_link();
	new_map();
	have.program_id = id_of(have.program, 1);
	have.map_id = id_of(have.array, 1);
	have.link_id = id_of(have.raw_link, 1);
	have.btf_id = id_of(have.btf, 3);
	of_cgroup[1] = have.cgroup;
	by_fd[0].imm = fd_array[0] = have.array;
	snprintf(pin, sizeof(pin), "%s/pin", getenv("BPFFS"));
	snprintf(new_pin, sizeof(new_pin), "%s/new", getenv("BPFFS"));
	snprintf(program_file, sizeof(program_file), "%s", getenv("FILE"));
	CALL(BPF_OBJ_PIN, 24, .pathname = (uintptr_t)pin, .bpf_fd = have.array);
}

static void tear_down(void)
{
	detach_all();
	unlink(pin);
}
