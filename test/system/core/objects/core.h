// What the test objects share. They declare the kernel's types themselves: only the members that they use, which is
// what CO-RE is for, and independent of the machine that compiles them.
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <stdbool.h>

#define KERNEL __attribute__((preserve_access_index))
#define FIELD(kind, field) __builtin_preserve_field_info(field, BPF_FIELD_##kind)
// All kinds of relocation of a field that is no array element.
#define EVERY_KIND(field)                                                                                                \
	(FIELD(BYTE_OFFSET, field) + FIELD(BYTE_SIZE, field) + FIELD(EXISTS, field) + FIELD(SIGNED, field) +               \
	 FIELD(LSHIFT_U64, field) + FIELD(RSHIFT_U64, field))

char LICENSE[] SEC("license") = "GPL";
// Where programs leave what they computed, so that clang keeps it.
long long result;
