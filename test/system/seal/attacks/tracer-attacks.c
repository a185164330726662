/* Tracers and probes on the guard, other ways to write a sysctl, and attributes of other security modules. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"

#define TRACEFS "/tmp/tracing/"

static int write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_APPEND);
	int failed = file < 0 || write(file, text, strlen(text)) < 0;
	close(file);
	return failed ? -1 : 0;
}

static void mount_tracefs(void)
{
	mkdir("/tmp/tracing", 0700);
	if (mount("tracefs", "/tmp/tracing", "tracefs", 0, NULL) && errno != EBUSY)
		held("mount of tracefs");
}

/* Removes all probes, and ends with the result of a load that was made before. */
static _Noreturn void end_with_load(int program, int error, const char *how)
{
	write_text(TRACEFS "events/kprobes/enable", "0");
	truncate(TRACEFS "kprobe_events", 0);
	write_text(TRACEFS "current_tracer", "nop");
	truncate(TRACEFS "set_ftrace_filter", 0);
	umount2("/tmp/tracing", MNT_DETACH);
	errno = error;
	if (program < 0)
		held("load after it");
	broken("%s, and an unlisted program loads", how);
}

/* The graph tracer and return probes on every function on which a program of type LSM hangs. */
static void graph_hooks(void)
{
	static const char *const hooks[] = {"bpf", "bpf_prog", "bpf_prog_load", "bpf_map", "locked_down", "sb_umount"};
	mount_tracefs();
	if (write_text(TRACEFS "set_ftrace_filter", "bpf_lsm_*") || write_text(TRACEFS "current_tracer", "function_graph"))
		held("function_graph");
	for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
		char probe[96];
		snprintf(probe, sizeof probe, "r:attack%zu bpf_lsm_%s", i, hooks[i]);
		if (write_text(TRACEFS "kprobe_events", probe))
			held("kprobe_events");
	}
	if (write_text(TRACEFS "events/kprobes/enable", "1"))
		held("enabling the return probes");
	int program = load_unlisted();
	end_with_load(program, errno, "all hooks have the graph tracer and return probes");
}

/* A kprobe by perf at an address. Returns its fd, or -1. */
static int probe_address(unsigned long address)
{
	char number[16] = {0};
	int type = open("/sys/bus/event_source/devices/kprobe/type", O_RDONLY);
	if (read(type, number, sizeof number - 1) <= 0)
		return -1;
	close(type);
	struct perf_event_attr attr = {.type = atoi(number), .size = sizeof attr, .config2 = address};
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0UL);
}

/* Kprobes on the guard's own programs and their trampolines, by tracefs and perf. */
static void probe_guard(void)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[256];
	mount_tracefs();
	for (int count = 0; count < 64 && symbols && fgets(line, sizeof line, symbols);) {
		unsigned long address;
		char name[128], probe[160];
		if (sscanf(line, "%lx %*c %127s", &address, name) != 2 ||
		    (!strstr(name, "_guard_") && !strstr(name, "bpf_trampoline_")))
			continue;
		snprintf(probe, sizeof probe, "p:attack%d 0x%lx", count++, address);
		write_text(TRACEFS "kprobe_events", probe);
		probe_address(address);
	}
	write_text(TRACEFS "events/kprobes/enable", "1");
	int program = load_unlisted();
	end_with_load(program, errno, "probes on the guard");
}

/* The sysctl through a mount of proc that is nowhere, from a pipe. */
static void ftrace_off_by_splice(void)
{
	int context = syscall(SYS_fsopen, "proc", 0), ends[2];
	if (context < 0 || syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
		held("fsopen of proc");
	int folder = syscall(SYS_fsmount, context, 0, 0);
	int file = openat(folder, "sys/kernel/ftrace_enabled", O_RDWR);
	if (file < 0 || pipe(ends) || write(ends[1], "0", 1) != 1)
		held("open of the sysctl");
	if (splice(ends[0], NULL, file, NULL, 1, 0) != 1)
		held("splice to the sysctl");
	int program = load_unlisted();
	int error = errno;
	if (pwrite(file, "1", 1, 0) < 0)
		error = errno;
	errno = error;
	if (program < 0)
		held("load with ftrace off");
	broken("splice turned ftrace off, and an unlisted program loads");
}

/* struct lsm_ctx of include/uapi/linux/lsm.h. */
struct lsm_context {
	uint64_t id, flags, size, context_size;
	char context[32];
};
#define SYS_LSM_SET_SELF_ATTR 460

/* Attributes that the kernel hands to all security modules, each by its number and by its file; and their file system. */
static void security_attributes(void)
{
	static const char *const files[] = {"current", "exec", "fscreate", "keycreate", "sockcreate", "prev"};
	for (uint64_t module = 100; module < 116; module++)
		for (unsigned attribute = 100; attribute < 106; attribute++) {
			struct lsm_context context = {module, 0, sizeof context, 11, "unconfined"};
			syscall(SYS_LSM_SET_SELF_ATTR, attribute, &context, (uint32_t)sizeof context, 0);
		}
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/attr/%s", files[i]);
		write_text(path, "changeprofile unconfined");
	}
	umount2("/sys/kernel/security", MNT_DETACH);
	int program = load_unlisted();
	int error = errno;
	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	errno = error;
	if (program < 0)
		held("load after it");
	broken("attributes of security modules, and an unlisted program loads");
}

const struct attack tracer_attacks[] = {
    {"graph-hooks", graph_hooks},
    {"probe-guard", probe_guard},
    {"ftrace-off-by-splice", ftrace_off_by_splice},
    {"security-attributes", security_attributes},
    {0},
};
