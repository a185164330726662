// A tracer as an operator would run it: every execve with its path, through a ring buffer. It reads user memory and
// changes nothing.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct enter_execve {
	__u64 common;
	__s64 number;
	const char *path;
	const char *const *argv;
	const char *const *envp;
};

struct event {
	__u32 pid;
	__u32 uid;
	char comm[16];
	char path[128];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16);
} events SEC(".maps");

const volatile __u32 only_uid = (__u32)-1;

SEC("tracepoint/syscalls/sys_enter_execve")
int log_exec(struct enter_execve *ctx)
{
	__u32 uid = (__u32)bpf_get_current_uid_gid();
	struct event *event;

	if (only_uid != (__u32)-1 && only_uid != uid)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->uid = uid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_probe_read_user_str(event->path, sizeof(event->path), ctx->path);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
