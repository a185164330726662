/* Programs of every type, and of the types that change other programs or the kernel. */
#include <errno.h>
#include <linux/btf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

/* Attach types, and kernel functions to attach to, of types that need them; otherwise 0. */
static const struct {
	uint32_t type;
	uint32_t attach_type;
	const char *function;
} kinds[] = {
    {BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL},
    {BPF_PROG_TYPE_KPROBE, 0, NULL},
    {BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, NULL},
    {BPF_PROG_TYPE_SCHED_CLS, 0, NULL},
    {BPF_PROG_TYPE_SCHED_ACT, 0, NULL},
    {BPF_PROG_TYPE_TRACEPOINT, 0, NULL},
    {BPF_PROG_TYPE_XDP, 0, NULL},
    {BPF_PROG_TYPE_PERF_EVENT, 0, NULL},
    {BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, NULL},
    {BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, NULL},
    {BPF_PROG_TYPE_LWT_IN, 0, NULL},
    {BPF_PROG_TYPE_LWT_OUT, 0, NULL},
    {BPF_PROG_TYPE_LWT_XMIT, 0, NULL},
    {BPF_PROG_TYPE_LWT_SEG6LOCAL, 0, NULL},
    {BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, NULL},
    {BPF_PROG_TYPE_SK_SKB, 0, NULL},
    {BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, NULL},
    {BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, NULL},
    {BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL},
    {BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, NULL},
    {BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, NULL},
    {BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT, NULL},
    {BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, NULL},
    {BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, NULL},
    {BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, NULL},
    {BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "do_nanosleep"},
    {BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "do_nanosleep"},
    {BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bpf_iter_bpf_map"},
    {BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, "security_task_getpgid"},
    {BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_task_getpgid"},
    {BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, "bpf_lsm_task_getpgid"},
    {BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, NULL},
    {BPF_PROG_TYPE_SYSCALL, 0, NULL},
    {BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER, NULL},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static void every_type(void)
{
	size_t loaded = 0;
	int error = EPERM;
	for (size_t i = 0; i < KINDS; i++) {
		struct load how = {.type = kinds[i].type, .attach_type = kinds[i].attach_type};
		if (kinds[i].function)
			how.attach_btf_id = kernel_function(kinds[i].function);
		if (kinds[i].type == BPF_PROG_TYPE_SYSCALL)
			how.flags = BPF_F_SLEEPABLE;
		int program = LOAD_CODE(&how, MOV(0, 0), EXIT);
		/* for types whose programs must return another value */
		if (program < 0 && errno == EINVAL)
			program = LOAD_CODE(&how, MOV(0, 1), EXIT);
		if (program < 0 && errno != EINVAL)
			error = errno;
		loaded += program >= 0;
		close(program);
	}
	errno = error;
	if (loaded == 0)
		held("load of programs of each type");
	broken("loaded programs of %zu of %zu kinds", loaded, KINDS);
}

/* A program of one function, with the BTF that the kernel wants to replace it. Returns its fd. */
static int load_function(const struct load *how, uint32_t target, int result)
{
	struct {
		struct btf_header header;
		struct btf_type number;
		uint32_t encoding;
		struct btf_type context;
		struct btf_type pointer;
		struct btf_type prototype;
		struct btf_param parameter;
		struct btf_type function;
		char names[32];
	} btf = {.header = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(struct btf_header)}};
	btf.header.type_len = offsetof(typeof(btf), names) - sizeof btf.header;
	btf.header.str_off = btf.header.type_len;
	btf.header.str_len = sizeof btf.names;
	/* names: 1 "int", 5 "xdp_md", 12 "ctx", 16 "f" */
	memcpy(btf.names, "\0int\0xdp_md\0ctx\0f", 18);
	btf.number = (struct btf_type){.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4};
	btf.encoding = BTF_INT_SIGNED << 24 | 32;
	btf.context = (struct btf_type){.name_off = 5, .info = BTF_KIND_STRUCT << 24};
	btf.pointer = (struct btf_type){.info = BTF_KIND_PTR << 24, .type = 2};
	btf.prototype = (struct btf_type){.info = BTF_KIND_FUNC_PROTO << 24 | 1, .type = 1};
	btf.parameter = (struct btf_param){.name_off = 12, .type = 3};
	btf.function = (struct btf_type){.name_off = 16, .info = BTF_KIND_FUNC << 24 | BTF_FUNC_GLOBAL, .type = 4};
	union bpf_attr attr = {0};
	attr.btf = (uintptr_t)&btf;
	attr.btf_size = sizeof btf;
	int types = bpf(BPF_BTF_LOAD, &attr, sizeof attr);
	struct bpf_insn code[] = {MOV(0, result), EXIT};
	memset(&attr, 0, sizeof attr);
	attr.prog_type = how->type;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = 2;
	attr.license = (uintptr_t) "GPL";
	attr.prog_btf_fd = types;
	attr.func_info = (uintptr_t) & (struct bpf_func_info){.insn_off = 0, .type_id = 5};
	attr.func_info_cnt = 1;
	attr.func_info_rec_size = sizeof(struct bpf_func_info);
	attr.attach_prog_fd = target;
	attr.attach_btf_id = target ? 5 : 0;
	return types < 0 ? -1 : bpf(BPF_PROG_LOAD, &attr, sizeof attr);
}

/* A program of type EXT in the place of one that was loaded, with XDP_PASS before and XDP_DROP after. */
static void replace_function(void)
{
	struct load xdp = {.type = BPF_PROG_TYPE_XDP}, ext = {.type = BPF_PROG_TYPE_EXT};
	int target = load_function(&xdp, 0, 2);
	if (target < 0)
		held("load of the program to replace");
	int program = load_function(&ext, target, 1);
	if (program < 0)
		held("load of the replacement");
	union bpf_attr attr = {0};
	attr.raw_tracepoint.prog_fd = program;
	int link = bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr);
	if (link < 0)
		held("attach of the replacement");
	int result = run_program(target);
	if (result != 1)
		held("replacement");
	broken("a program that returned 2 returns %d", result);
}

/* The struct of operations for congestion control; its members are tried, since few take a program. */
static void struct_ops(void)
{
	struct load how = {.type = BPF_PROG_TYPE_STRUCT_OPS, .attach_btf_id = kernel_struct("tcp_congestion_ops")};
	int error = EPERM;
	for (how.attach_type = 0; how.attach_type < 24; how.attach_type++) {
		if (LOAD_CODE(&how, MOV(0, 0), EXIT) >= 0)
			broken("loaded a program for member %u of tcp_congestion_ops", how.attach_type);
		if (errno == EPERM)
			held("load of an operation");
		error = errno;
	}
	errno = error;
	held("load of each operation");
}

/* Two programs that nobody joined before: the first passes all packets, and drops them after the attack. */
static void tail_calls(void)
{
	int caller = accomplice(CALL_NEXT), next = accomplice(DROP_PACKETS);
	if (caller < 0 || next < 0)
		skipped("no program was loaded before the seal");
	if (run_program(caller) != 1)
		held("run of the program before the attack");
	uint32_t key = 0;
	union bpf_attr attr = {0};
	attr.map_fd = map_of(caller);
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&next;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof attr))
		held("write of the program array");
	if (run_program(caller) != 0)
		held("tail call");
	broken("a program that passed packets drops them");
}

const struct attack type_attacks[] = {
    {"every-type", every_type},
    {"freplace", replace_function},
    {"struct-ops", struct_ops},
    {"tail-calls", tail_calls},
    {0},
};
