/* The kernel's own tracers on the hooks of the guard, and its workers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"

#define TRACEFS "/tmp/tracing/"

static void write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_APPEND);
	if (file < 0 || write(file, text, strlen(text)) < 0)
		held(path);
	close(file);
}

static void stop_tracing(void)
{
	static const char *const steps[][2] = {{TRACEFS "events/kprobes/enable", "0"},
					       {TRACEFS "kprobe_events", "-:attack"},
					       {TRACEFS "current_tracer", "nop"}};
	for (int i = 0; i < 3; i++) {
		int file = open(steps[i][0], O_WRONLY | O_APPEND);
		if (file >= 0 && write(file, steps[i][1], strlen(steps[i][1])) < 0)
			errno = 0;
		close(file);
	}
	umount2("/tmp/tracing", MNT_DETACH);
}

/* Both change the beginning of the function on which the guard's trampoline hangs. */
static void trace_hooks(void)
{
	mkdir("/tmp/tracing", 0700);
	if (mount("tracefs", "/tmp/tracing", "tracefs", 0, NULL) && errno != EBUSY)
		held("mount of tracefs");
	write_file(TRACEFS "set_ftrace_filter", "bpf_lsm_bpf_prog_load");
	write_file(TRACEFS "current_tracer", "function");
	write_file(TRACEFS "kprobe_events", "p:attack bpf_lsm_bpf_prog_load");
	write_file(TRACEFS "events/kprobes/enable", "1");
	int program = load_unlisted();
	int error = errno;
	stop_tracing();
	errno = error;
	if (program < 0)
		held("load with a tracer and a kprobe on the hook");
	broken("an unlisted program loads while the hook is traced");
}

/* Has a worker of the kernel make the write: IOSQE_ASYNC. */
static void ftrace_off_by_worker(void)
{
	struct io_uring_params params = {0};
	int ring = syscall(SYS_io_uring_setup, 2, &params);
	int file = open("/proc/sys/kernel/ftrace_enabled", O_RDWR);
	if (ring < 0 || file < 0)
		held("io_uring_setup");
	char *submission = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
	char *completion = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
				PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_CQ_RING);
	struct io_uring_sqe *entry = mmap(NULL, params.sq_entries * sizeof *entry, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
	if (submission == MAP_FAILED || completion == MAP_FAILED || entry == MAP_FAILED)
		held("mmap of a ring");
	*entry = (struct io_uring_sqe){.opcode = IORING_OP_WRITE,
				       .flags = IOSQE_ASYNC,
				       .fd = file,
				       .addr = (uintptr_t) "0",
				       .len = 1};
	((uint32_t *)(submission + params.sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(submission + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		held("io_uring_enter");
	int result = ((struct io_uring_cqe *)(completion + params.cq_off.cqes))->res;
	if (result < 0) {
		errno = -result;
		held("write by a worker");
	}
	int program = load_unlisted();
	int error = errno;
	if (pwrite(file, "1", 1, 0) < 0)
		error = errno;
	errno = error;
	if (program < 0)
		held("load with ftrace off");
	broken("a worker turned ftrace off, and an unlisted program loads");
}

/*
 * In lockdown mode confidentiality BPF programs may not read kernel memory, as the guard does. It lasts until the
 * machine stops, so this is the last attack.
 */
static void raise_lockdown(void)
{
	mkdir("/tmp/security", 0700);
	if (mount("securityfs", "/tmp/security", "securityfs", 0, NULL) && errno != EBUSY)
		held("mount of securityfs");
	write_file("/tmp/security/lockdown", "confidentiality");
	end_with_unlisted_load("lockdown is confidentiality");
}

const struct attack last_attacks[] = {
    {"raise-lockdown", raise_lockdown},
    {0},
};

const struct attack trace_attacks[] = {
    {"trace-hooks", trace_hooks},
    {"ftrace-off-by-worker", ftrace_off_by_worker},
    {0},
};
