// Enumerators: existence and value, of 32 and 64 bits, signed and not.
#include "core.h"

enum pid_type {
	PIDTYPE_TGID = 7,
	PIDTYPE_SID = 9,
};
enum pid_type___x {
	PIDTYPE_PGID___x = 5,
	PIDTYPE_COUNTERSIGN___x = 3,
};
enum perf_callchain_context {
	PERF_CONTEXT_KERNEL = 0xffffffffffffff80ull,
	PERF_CONTEXT_USER = 1,
	PERF_CONTEXT_NOWHERE = 2,
};
// The kernel's has 64 bits, this one 32.
enum perf_callchain_context___narrow {
	PERF_CONTEXT_HV___narrow = 1,
};
// The kernel's has 32 bits, this one 64.
enum bpf_map_type___wide {
	BPF_MAP_TYPE_RINGBUF___wide = 0x100000000ull,
};
enum bpf_tcx_or_whatever {
	COUNTERSIGN_NO_SUCH_ENUM = 4,
};
enum tc_matchall_command {
	TC_CLSMATCHALL_STATS = 8,
};
enum tk_offsets {
	TK_OFFS_BOOT = -1,
	TK_OFFS_TAI = 40,
};
enum ip_conntrack_info___signed {
	IP_CT_ESTABLISHED___signed = -5,
	IP_CT_NUMBER___signed = 2,
};

#define VALUE(type, name) bpf_core_enum_value(type, name)
#define EXISTS(type, name) bpf_core_enum_value_exists(type, name)

SEC("raw_tp/sched_switch")
int values(void *ctx)
{
	result = VALUE(enum pid_type, PIDTYPE_TGID) + VALUE(enum pid_type, PIDTYPE_SID);
	result += VALUE(enum pid_type___x, PIDTYPE_PGID___x) << 8;
	result += VALUE(enum tk_offsets, TK_OFFS_BOOT) << 16;
	result += VALUE(enum tc_matchall_command, TC_CLSMATCHALL_STATS) << 24;
	return 0;
}

SEC("raw_tp/sched_switch")
int values_of_64_bits(void *ctx)
{
	result = VALUE(enum perf_callchain_context, PERF_CONTEXT_KERNEL) +
		 VALUE(enum perf_callchain_context, PERF_CONTEXT_USER);
	return 0;
}

SEC("raw_tp/sched_switch")
int narrow(void *ctx)
{
	result = VALUE(enum perf_callchain_context___narrow, PERF_CONTEXT_HV___narrow);
	return 0;
}

SEC("raw_tp/sched_switch")
int wide(void *ctx)
{
	result = VALUE(enum bpf_map_type___wide, BPF_MAP_TYPE_RINGBUF___wide);
	return 0;
}

SEC("raw_tp/sched_switch")
int existence(void *ctx)
{
	result = EXISTS(enum pid_type, PIDTYPE_TGID) + EXISTS(enum pid_type___x, PIDTYPE_COUNTERSIGN___x) * 2;
	result += EXISTS(enum perf_callchain_context, PERF_CONTEXT_NOWHERE) * 4;
	result += EXISTS(enum bpf_tcx_or_whatever, COUNTERSIGN_NO_SUCH_ENUM) * 8;
	result += EXISTS(enum ip_conntrack_info___signed, IP_CT_NUMBER___signed) * 16;
	return 0;
}

SEC("raw_tp/sched_switch")
int missing_guarded(void *ctx)
{
	if (EXISTS(enum pid_type___x, PIDTYPE_COUNTERSIGN___x))
		result = VALUE(enum pid_type___x, PIDTYPE_COUNTERSIGN___x);
	if (EXISTS(enum perf_callchain_context, PERF_CONTEXT_NOWHERE))
		result = VALUE(enum perf_callchain_context, PERF_CONTEXT_NOWHERE);
	return 0;
}

SEC("raw_tp/sched_switch")
int missing_unguarded(void *ctx)
{
	result = VALUE(enum perf_callchain_context, PERF_CONTEXT_NOWHERE) + VALUE(enum pid_type___x, PIDTYPE_COUNTERSIGN___x);
	return 0;
}
