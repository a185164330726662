/* Programs that replace, override or skip those of the guard, and what turns them off. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

#define MULTI BPF_F_ALLOW_MULTI

/* Attaches an accomplice to the root cgroup, and undoes it. */
static void attach_to_root(enum accomplice which, uint32_t type, uint32_t flags, const char *how)
{
	int root = root_cgroup(), program = accomplice(which);
	if (program < 0)
		held("load of the program");
	if (attach(root, program, type, flags))
		held("BPF_PROG_ATTACH");
	int loaded = load_unlisted();
	int error = errno;
	detach(root, program, type);
	errno = error;
	if (loaded < 0)
		held("load after the attach");
	broken("%s, and an unlisted program loads", how);
}

static void replace(void)
{
	attach_to_root(ALLOW_LOADS, BPF_LSM_CGROUP, 0, "attached with flags 0");
}

static void override_verdict(void)
{
	attach_to_root(OVERRIDE_LOADS, BPF_LSM_CGROUP, MULTI, "attached with bpf_set_retval(0)");
}

static void override_by_link(void)
{
	int program = accomplice(OVERRIDE_LOADS);
	if (program < 0)
		held("load of the program");
	if (link_cgroup(root_cgroup(), program, BPF_LSM_CGROUP) < 0)
		held("BPF_LINK_CREATE");
	end_with_unlisted_load("linked with bpf_set_retval(0)");
}

static bool is_ftrace_on(void)
{
	char value = 0;
	int file = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY);
	if (file < 0)
		skipped("no kernel.ftrace_enabled");
	read(file, &value, 1);
	close(file);
	return value == '1';
}

static int write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	int result = file < 0 || write(file, text, strlen(text)) < 0 ? -1 : 0;
	close(file);
	return result;
}

/* Turns ftrace off. The kernel refuses that on its own since Linux 7.3, if programs hang on it. */
static void end_with_ftrace_off(const char *how)
{
	if (write_text("/proc/sys/kernel/ftrace_enabled", "0"))
		held("write of kernel.ftrace_enabled");
	if (is_ftrace_on())
		held("kernel.ftrace_enabled");
	int loaded = load_unlisted();
	int error = errno;
	write_text("/proc/sys/kernel/ftrace_enabled", "1");
	errno = error;
	if (loaded < 0)
		held("load with ftrace off");
	broken("%s, and an unlisted program loads", how);
}

static void ftrace_off(void)
{
	end_with_ftrace_off("kernel.ftrace_enabled is 0");
}

static void override_sysctl(void)
{
	int root = root_cgroup(), program = accomplice(OVERRIDE_SYSCTL);
	if (program < 0)
		held("load of the program");
	if (attach(root, program, BPF_CGROUP_SYSCTL, MULTI))
		held("BPF_PROG_ATTACH");
	end_with_ftrace_off("a program overrides the verdict about sysctls, kernel.ftrace_enabled is 0");
}

static void unprivileged_bpf(void)
{
	static const char path[] = "/proc/sys/kernel/unprivileged_bpf_disabled";
	if (write_text(path, "0"))
		held("write of kernel.unprivileged_bpf_disabled");
	write_text(path, "2");
	broken("kernel.unprivileged_bpf_disabled is 0");
}

/* With ALLOW_MULTI the kernel wants the program, without it only the attach type. */
static void detach_guard(void)
{
	int root = root_cgroup();
	uint32_t ids[64];
	int before = query(root, BPF_LSM_CGROUP, ids, 64);
	if (before < 0)
		held("BPF_PROG_QUERY");
	for (int i = 0; i < before; i++) {
		int program = fd_by_id(BPF_PROG_GET_FD_BY_ID, ids[i], 0);
		if (program >= 0 && detach(root, program, BPF_LSM_CGROUP) == 0)
			end_with_unlisted_load("detached a program of the guard");
	}
	if (detach(root, 0, BPF_LSM_CGROUP))
		held("BPF_PROG_DETACH");
	end_with_unlisted_load("detached a program");
}

/* As `detach_guard`, with the flag of Linux 7.2 that the command can have. */
static void flagged_detach(void)
{
	union bpf_attr attr = {0};
	uint32_t ids[64];
	int root = root_cgroup();
	int count = query(root, BPF_LSM_CGROUP, ids, 64);
	int program = count > 0 ? fd_by_id(BPF_PROG_GET_FD_BY_ID, ids[0], 0) : 0;
	attr.target_fd = root;
	attr.attach_bpf_fd = program < 0 ? 0 : program;
	attr.attach_type = BPF_LSM_CGROUP;
	if (bpf(BPF_PROG_DETACH | 0x10000, &attr, sizeof attr))
		held("BPF_PROG_DETACH with bit 16");
	end_with_unlisted_load("detached a program with bit 16 of the command");
}

static const char *const hooks[] = {"bpf",	   "bpf_prog_load", "bpf_prog",		   "bpf_map",
				    "locked_down", "task_kill",	    "ptrace_access_check", "sb_umount",
				    "inode_unlink", "inode_rename", "bpf_token_create"};
#define HOOKS (sizeof hooks / sizeof *hooks)

/*
 * fmod_ret on security_bpf with each kind of result: the kernel asks whether it is below 0, so 1 skips the hooks.
 * RAW_TRACEPOINT_OPEN attaches a program of a tracing type.
 */
static void modify_return(int result)
{
	char how[128];
	struct load program_of = {.type = BPF_PROG_TYPE_TRACING, .attach_type = BPF_MODIFY_RETURN};
	for (size_t i = HOOKS; i-- > 0;) {
		char name[64];
		snprintf(name, sizeof name, "security_%s", hooks[i]);
		program_of.attach_btf_id = kernel_function(name);
		int program = LOAD_CODE(&program_of, MOV(0, result), EXIT);
		/* inlined or missing in this kernel */
		if (program < 0 && (program_of.attach_btf_id == 0 || errno == EINVAL))
			continue;
		if (program < 0 && i > 0)
			continue;
		if (program < 0)
			held("load of a program for fmod_ret/security_bpf");
		union bpf_attr attr = {0};
		attr.raw_tracepoint.prog_fd = program;
		if (bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr) < 0)
			held("attach of the program");
		snprintf(how, sizeof how, "attached fmod_ret/%s that returns %d", name, result);
		if (result < 0)
			broken("%s", how);
		end_with_unlisted_load(how);
	}
	held("load of a program for fmod_ret");
}

static void modify_return_0(void)
{
	modify_return(0);
}

static void modify_return_1(void)
{
	modify_return(1);
}

static void modify_return_error(void)
{
	modify_return(-1);
}

/*
 * A program of type LSM on each hook of the guard. One that allows changes nothing; one that denies stops the machine.
 */
static void lsm_programs(uint32_t attach_type, const char *how)
{
	struct load program_of = {.type = BPF_PROG_TYPE_LSM, .attach_type = attach_type};
	for (size_t i = 0; i < HOOKS; i++) {
		char name[64];
		snprintf(name, sizeof name, "bpf_lsm_%s", hooks[i]);
		program_of.attach_btf_id = kernel_function(name);
		if (program_of.attach_btf_id == 0)
			skipped("a hook is not in this kernel");
		int program = attach_type == BPF_LSM_CGROUP ? LOAD_CODE(&program_of, MOV(0, 1), EXIT)
							    : LOAD_CODE(&program_of, MOV(0, 0), EXIT);
		if (program >= 0)
			broken("loaded %s/%s", how, hooks[i]);
	}
	held("load of a program for each hook");
}

static void lsm_on_hooks(void)
{
	lsm_programs(BPF_LSM_MAC, "lsm");
}

static void lsm_cgroup_on_hooks(void)
{
	lsm_programs(BPF_LSM_CGROUP, "lsm_cgroup");
}

const struct attack attach_attacks[] = {
    {"replace", replace},
    {"override", override_verdict},
    {"override-by-link", override_by_link},
    {"override-sysctl", override_sysctl},
    {"ftrace-off", ftrace_off},
    {"unprivileged-bpf", unprivileged_bpf},
    {"detach", detach_guard},
    {"flagged-detach", flagged_detach},
    {"fmod-ret-0", modify_return_0},
    {"fmod-ret-1", modify_return_1},
    {"fmod-ret-error", modify_return_error},
    {"lsm-on-hooks", lsm_on_hooks},
    {"lsm-cgroup-on-hooks", lsm_cgroup_on_hooks},
    {0},
};
