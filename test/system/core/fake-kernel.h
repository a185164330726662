// The kernel that a loader meets: its BTF, its name and its answers to bpf(2). Nothing reaches the real bpf(2), and
// what the loader would load is written down as one JSON line for each map, BTF and program.
#pragma once
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// Mounts a kernel's files over this machine's, in a mount namespace of its own, and reads what bpf(2) answers from
// them: FOLDER/btf over /sys/kernel/btf, FOLDER/kallsyms over /proc/kallsyms, FOLDER/config as /boot/config-RELEASE.
void fake_kernel_enter(const char *folder);

// Reads FOLDER without mounting anything. Recording goes to `to`; null drops it.
void fake_kernel_read(const char *folder);
void fake_kernel_record(FILE *to);

// A program's fd whose BTF is `data`, for programs that replace functions of another one.
int fake_kernel_program(const void *data, uint32_t size);

// The full name of a program by its instructions; null for a program that the loader only probes with. Without it
// programs are known by the name that the kernel gets.
extern const char *(*fake_kernel_name_of)(const void *insns);

// Nanoseconds spent in bpf(2), and the time of the first program that is not a probe; since fake_kernel_restart.
struct fake_kernel_times {
	uint64_t in_bpf, in_bpf_at_first, first;
	// Nanoseconds in which libbpf 1.5 read and parsed the kernel's BTF: from fopen(3) to fclose(3).
	uint64_t in_vmlinux;
};
extern struct fake_kernel_times fake_kernel_times;
uint64_t fake_kernel_now(void);
void fake_kernel_restart(void);

// bpf(2) of this kernel, for loaders that do not call syscall(3).
int fake_kernel_bpf(int command, uintptr_t attr);
// Writes a line to where programs are recorded.
void fake_kernel_line(const char *line);

void json_string(FILE *to, const char *text);
void json_hex(FILE *to, const void *bytes, size_t size);
