/*
 * The programs with which the guard protects itself, besides hook `bpf`. They are in force from the latch on; under
 * audit, verdict() records and allows. Without status every one of them denies.
 */
#pragma once

#include "agent.bpf.h"
#include "executables.bpf.h"
#include "lockdown.bpf.h"
#include "modules.bpf.h"
#include "mounts.bpf.h"
#include "never-modules.bpf.h"
#include "own.bpf.h"
#include "pins.bpf.h"
#include "status.bpf.h"
#include "sysctl.bpf.h"

/* The verdict at a hook about a command, an object or a task; `what` and `more` are recorded with a denial. */
static __always_inline int protect(struct guard_status *status, enum guard_hook hook, __u32 reason, __u32 what,
				   __u32 more)
{
	struct event_detail detail = { .hook = hook, .detail = { what, more } };

	return verdict(status, reason, &detail);
}

/* What a program on a link returns, which is an errno. */
static __always_inline int errno_of(int verdict)
{
	return verdict == ALLOW ? 0 : -EPERM;
}

SEC("lsm_cgroup/bpf_map")
int BPF_PROG(guard_map, struct bpf_map *map, unsigned int fmode)
{
	struct guard_status *status = status_of_guard();
	bool own;

	if (!status)
		return DENY;
	if (!is_protecting(status))
		return ALLOW;
	own = is_own_map(map) && (fmode & FMODE_WRITE || !is_status_map(map));
	return protect(status, GUARD_AT_BPF_MAP, own ? GUARD_OWN_OBJECT : 0, BPF_CORE_READ(map, id), fmode);
}

/* Nodes of sysfs and cgroup2; see never_module(). */
SEC("lsm_cgroup/kernfs_init_security")
int BPF_PROG(guard_kernfs, struct kernfs_node *folder, struct kernfs_node *node)
{
	struct guard_status *status = status_of_guard();
	int module;

	if (!status)
		return DENY;
	if (!is_protecting(status))
		return ALLOW;
	module = never_module(folder, node);
	if (module < 0)
		return protect(status, GUARD_AT_KERNFS_INIT_SECURITY, GUARD_FAILURE, 0, 0);
	return protect(status, GUARD_AT_KERNFS_INIT_SECURITY, module ? GUARD_NEVER : 0, module, 0);
}

SEC("lsm_cgroup/locked_down")
int BPF_PROG(guard_locked_down, enum lockdown_reason what)
{
	struct guard_status *status = status_of_guard();

	if (!status)
		return DENY;
	if (!is_protecting(status) || !is_locked_down(what))
		return ALLOW;
	return protect(status, GUARD_AT_LOCKED_DOWN, GUARD_KERNEL_CHANGE, what, 0);
}

SEC("lsm_cgroup/kernel_post_read_file")
int BPF_PROG(guard_read_file, void *file, char *bytes, long size, enum kernel_read_file_id id)
{
	struct guard_status *status = status_of_guard();

	if (!status)
		return DENY;
	if (!is_protecting(status))
		return ALLOW;
	if (is_module_file(id))
		return judge_module(status, GUARD_AT_KERNEL_POST_READ_FILE, (__u64)bytes, size, id);
	return protect(status, GUARD_AT_KERNEL_POST_READ_FILE, is_for_kexec(id) ? GUARD_KERNEL_CHANGE : 0, id, 0);
}

SEC("lsm_cgroup/bprm_check_security")
int BPF_PROG(guard_exec, struct linux_binprm *bprm)
{
	struct guard_status *status = status_of_guard();

	if (!status)
		return DENY;
	if (!is_protecting(status) || !has_file_rule(GUARD_RULE_EXECUTABLES))
		return ALLOW;
	return executable_verdict(status, GUARD_AT_BPRM_CHECK_SECURITY, bprm->file);
}

/* Libraries and the dynamic loader. Memory that is no file can be made executable, as by compilers at run time. */
SEC("lsm/mmap_file")
int BPF_PROG(guard_mmap, struct file *file, unsigned long asked, unsigned long prot, unsigned long flags, int ret)
{
	struct guard_status *status = status_of_guard();
	__u64 address = 0;

	if (ret || !status)
		return ret ? ret : -EPERM;
	if (!(prot & PROT_EXEC) || !is_protecting(status) || !has_file_rule(GUARD_RULE_EXECUTABLES))
		return 0;
	/* before Linux 7.0, the verifier takes the argument for one that is never NULL, and removes the comparison */
	if (bpf_probe_read_kernel(&address, sizeof(address), ctx))
		return -EPERM;
	if (!address || !file)
		return 0;
	return errno_of(executable_verdict(status, GUARD_AT_MMAP_FILE, file));
}

SEC("lsm_cgroup/kernel_post_load_data")
int BPF_PROG(guard_load_data, char *bytes, long size, enum kernel_load_data_id id)
{
	struct guard_status *status = status_of_guard();

	if (!status)
		return DENY;
	if (!is_protecting(status) || id != bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		return ALLOW;
	return judge_module(status, GUARD_AT_KERNEL_POST_LOAD_DATA, (__u64)bytes, size, id);
}

SEC("lsm_cgroup/ptrace_access_check")
int BPF_PROG(guard_ptrace, struct task_struct *child, unsigned int mode)
{
	struct guard_status *status = status_of_guard();

	if (!status)
		return DENY;
	if (!is_protecting(status) || !is_foreign_agent(child))
		return ALLOW;
	return protect(status, GUARD_AT_PTRACE_ACCESS_CHECK, GUARD_AGENT, child->tgid, mode);
}

/* Returns as an lsm_cgroup program does. */
SEC("cgroup/sysctl")
int guard_sysctl(struct bpf_sysctl *ctx)
{
	struct guard_status *status = status_of_guard();

	if (!status)
		return DENY;
	if (!is_protecting(status) || !is_denied_sysctl(ctx))
		return ALLOW;
	return protect(status, GUARD_AT_SYSCTL, GUARD_SYSCTL, 0, 0);
}

SEC("lsm/task_kill")
int BPF_PROG(guard_kill, struct task_struct *task, void *info, int sig, void *cred, int ret)
{
	struct guard_status *status = status_of_guard();

	if (ret || !status)
		return ret ? ret : -EPERM;
	/* signal 0 only asks whether the process is there */
	if (!is_protecting(status) || sig == 0 || !is_foreign_agent(task))
		return 0;
	return errno_of(protect(status, GUARD_AT_TASK_KILL, GUARD_AGENT, task->tgid, sig));
}

SEC("lsm/sb_umount")
int BPF_PROG(guard_umount, struct vfsmount *mount, int flags, int ret)
{
	struct guard_status *status = status_of_guard();
	struct vfsmount *address;

	if (ret || !status)
		return ret ? ret : -EPERM;
	/* as a number, since global functions take no pointers */
	if (!is_protecting(status) || !(bpf_probe_read_kernel(&address, sizeof(address), ctx) || holds_pins(address)))
		return 0;
	return errno_of(protect(status, GUARD_AT_SB_UMOUNT, GUARD_MOUNT, flags, 0));
}

/* Of a directory on which the pins, or what they are mounted on, are mounted in another mount namespace. */
SEC("lsm/inode_rmdir")
int BPF_PROG(guard_rmdir, struct inode *folder, struct dentry *entry, int ret)
{
	struct guard_status *status = status_of_guard();

	if (ret || !status)
		return ret ? ret : -EPERM;
	if (!is_protecting(status) || !is_mount_point_of_pins(entry))
		return 0;
	return errno_of(protect(status, GUARD_AT_INODE_RMDIR, GUARD_MOUNT, 0, 0));
}

/* To a place where the kernel could unmount them without a hook. */
SEC("lsm/move_mount")
int BPF_PROG(guard_move, const struct path *from, const struct path *to, int ret)
{
	struct guard_status *status = status_of_guard();
	struct vfsmount *mount;

	if (ret || !status)
		return ret ? ret : -EPERM;
	if (!is_protecting(status) || !(READ(mount, from, mnt) || is_below_pins(mount)))
		return 0;
	return errno_of(protect(status, GUARD_AT_MOVE_MOUNT, GUARD_MOUNT, 0, 0));
}

/*
 * mount(2) with MS_MOVE, for which the kernel calls no hook with what is moved. At boot nobody can name the pins'
 * mount, and the machine moves others when it leaves the initramfs.
 */
SEC("lsm/sb_mount")
int BPF_PROG(guard_mount, const char *what, const struct path *path, const char *type, unsigned long flags, void *data,
	     int ret)
{
	struct guard_status *status = status_of_guard();

	if (ret || !status)
		return ret ? ret : -EPERM;
	if (!(flags & MS_MOVE) || !is_protecting(status) || !(status->state & GUARD_LATE) || !is_in_namespace_of_pins())
		return 0;
	return errno_of(protect(status, GUARD_AT_SB_MOUNT, GUARD_MOUNT, flags, 0));
}

/* It moves the root, on which the pins of a late seal are. */
SEC("lsm/sb_pivotroot")
int BPF_PROG(guard_pivot, const struct path *old, const struct path *new, int ret)
{
	struct guard_status *status = status_of_guard();

	if (ret || !status)
		return ret ? ret : -EPERM;
	if (!is_protecting(status) || !(status->state & GUARD_LATE) || !is_in_namespace_of_pins())
		return 0;
	return errno_of(protect(status, GUARD_AT_SB_PIVOTROOT, GUARD_MOUNT, 0, 0));
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_unlink, struct inode *folder, struct dentry *entry, int ret)
{
	struct guard_status *status = status_of_guard();

	if (ret || !status)
		return ret ? ret : -EPERM;
	if (!is_protecting(status) || !(is_own_pin(entry) || is_mount_point_of_pins(entry)))
		return 0;
	return errno_of(protect(status, GUARD_AT_INODE_UNLINK, GUARD_MOUNT, 0, 0));
}

SEC("lsm/inode_rename")
int BPF_PROG(guard_rename, struct inode *from, struct dentry *old, struct inode *to, struct dentry *replaced, int ret)
{
	struct guard_status *status = status_of_guard();

	if (ret || !status)
		return ret ? ret : -EPERM;
	if (!is_protecting(status) || !(is_own_pin(old) || is_own_pin(replaced) || is_mount_point_of_pins(old) ||
					is_mount_point_of_pins(replaced)))
		return 0;
	return errno_of(protect(status, GUARD_AT_INODE_RENAME, GUARD_MOUNT, 0, 0));
}
