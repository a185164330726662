// What the guard denies, asked for while a call of a helper in the guard fails: of each call that is made for it, the
// first, the last and all. Prints `refused NAME`, and `passed NAME: SITE` for each call that let it pass.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../guard-map.h"
#include "faults.h"
#include "loads.h"
#include "tickets.h"

#define PINS "/sys/fs/bpf/countersign"

static pid_t agent;

// The errno of a call that the guard is to deny; 0 if it succeeds.
#define ERROR_OF(call)                                                                                                 \
	({                                                                                                             \
		begin_call();                                                                                          \
		errno = 0;                                                                                             \
		long result = (long)(call);                                                                            \
		int error = result == -1 ? errno : 0;                                                                  \
		end_call();                                                                                            \
		error;                                                                                                 \
	})

static bool load_unlisted(void)
{
	struct load load = {.program = *program_named("sysctl")};

	return load_passes(&load);
}

static bool load_with_core_relos(void)
{
	struct load load = {.program = *program_named("maps"), .core_relos = 1};

	return load_passes(&load);
}

static bool load_with_other_map(void)
{
	struct load load = {.program = *program_named("maps")};

	load.program.maps[1].max_entries = 17;
	return load_passes(&load);
}

static bool load_with_other_contents(void)
{
	struct load load = {.program = *program_named("maps"), .threaded = true};

	load.program.maps[0].contents[0] ^= 0x80;
	return load_passes(&load);
}

static bool load_with_other_inner_map(void)
{
	struct load load = {.program = *program_named("outer")};

	load.program.maps[0].inner_value_size = 16;
	return load_passes(&load);
}

// Since Linux 6.14: maps that the instructions do not name.
static bool load_with_fd_array(void)
{
	struct load load = {.program = *program_named("indexed"), .indexed = true, .fd_array_cnt = 2};

	return load_passes(&load);
}

static bool load_never(void)
{
	struct load load = {.program = *program_named("sysctl that sets the return value")};

	return load_passes(&load);
}

static bool load_lsm(void)
{
	struct load load = {.program = *program_named("lsm")};

	load.program.target = "bpf_lsm_bpf";
	return load_passes(&load);
}

static bool load_fmod_ret(void)
{
	struct load load = {.program = *program_named("fmod_ret")};

	load.program.target = "security_bpf";
	return load_passes(&load);
}

// By the agent: a ticket for another program.
static bool load_with_other_ticket(void)
{
	struct guard_ticket ticket = ticket_for("sysctl");
	struct load load = {.program = *program_named("references")};
	bool passes;

	write_ticket(&ticket);
	passes = load_passes(&load);
	withdraw_ticket(0);
	return passes;
}

static bool withdraw_no_ticket(void)
{
	struct guard_ticket ticket = {.tid = agent, .flags = GUARD_TICKET_WITHDRAW};

	return ERROR_OF(syscall(SYS_bpf, GUARD_COMMAND_TICKET, &ticket, sizeof(ticket))) == EALREADY;
}

static int command(int number, union bpf_attr *attr)
{
	return ERROR_OF(syscall(SYS_bpf, number, attr, sizeof(*attr)));
}

static bool attach_sysctl(void)
{
	union bpf_attr attr = {.target_fd = -1, .attach_bpf_fd = -1, .attach_type = BPF_CGROUP_SYSCTL};

	return command(BPF_PROG_ATTACH, &attr) != EPERM;
}

static bool detach_lsm(void)
{
	union bpf_attr attr = {.target_fd = -1, .attach_bpf_fd = -1, .attach_type = BPF_LSM_CGROUP};

	return command(BPF_PROG_DETACH, &attr) != EPERM;
}

static bool link_lsm(void)
{
	union bpf_attr attr = {.link_create = {.prog_fd = -1, .target_fd = -1, .attach_type = BPF_LSM_CGROUP}};

	return command(BPF_LINK_CREATE, &attr) != EPERM;
}

static bool open_token(void)
{
	struct { uint32_t flags, bpffs_fd; } token = {0, -1};

	return ERROR_OF(syscall(SYS_bpf, BPF_TOKEN_CREATE, &token, sizeof(token))) != EPERM;
}

// The guard sees a node of kernfs in a folder `module`, as in /sys/module.
#define MODULES "/sys/fs/cgroup/module"
static bool make_folder_of_module(void)
{
	mkdir(MODULES, 0700);
	if (ERROR_OF(mkdir(MODULES "/floppy", 0700)))
		return false;
	rmdir(MODULES "/floppy");
	return true;
}

// The first object of a kind whose fd the guard does not hand out.
static uint32_t own_id(int next, int open)
{
	union bpf_attr attr = {0};

	while (bpf(next, &attr) >= 0) {
		uint32_t id = attr.next_id;
		union bpf_attr by_id = {.start_id = id};
		int fd = bpf(open, &by_id);

		if (fd < 0)
			return id;
		close(fd);
		attr.start_id = id;
	}
	return 0;
}

#define OPEN_OWN(name, next, open)                                                                                     \
	static bool open_##name(void)                                                                                  \
	{                                                                                                              \
		static uint32_t id;                                                                                    \
		if (!id)                                                                                               \
			id = own_id(next, open);                                                                       \
		union bpf_attr attr = {.start_id = id};                                                                \
		return command(open, &attr) != EPERM;                                                                  \
	}
OPEN_OWN(program, BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID)
OPEN_OWN(map, BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID)
OPEN_OWN(link, BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID)

static bool is_done(int number)
{
	union bpf_attr attr = {0};

	return command(number, &attr) == EALREADY;
}

static bool seal_again(void) { return is_done(GUARD_COMMAND_SEAL); }
static bool lock_guard(void) { return is_done(GUARD_COMMAND_LOCK); }
static bool require_signatures(void) { return is_done(GUARD_COMMAND_REQUIRE_SIGNATURES); }
static bool write_any_ticket(void) { return is_done(GUARD_COMMAND_TICKET); }

struct file {
	uint8_t *bytes;
	uint32_t size;
};

static struct file read_file(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &status) != 0)
		abort();
	struct file file = {malloc(status.st_size + 1), status.st_size};
	if (read(fd, file.bytes, file.size) != file.size)
		abort();
	close(fd);
	return file;
}

static bool give_list(const char *list_path, const char *signature_path)
{
	struct file list = read_file(list_path), signature = read_file(signature_path);
	struct guard_list_command command = {(uintptr_t)list.bytes, (uintptr_t)signature.bytes, list.size, signature.size};
	bool passes = ERROR_OF(syscall(SYS_bpf, GUARD_COMMAND_LIST, &command, sizeof(command))) == EALREADY;

	free(list.bytes);
	free(signature.bytes);
	return passes;
}

static bool give_list_of_other(void) { return give_list("/lib/other.list", "/lib/other.sig"); }
static bool give_changed_list(void) { return give_list("/lib/changed.list", "/lib/changed.sig"); }
static bool give_changed_classes(void) { return give_list("/lib/classes.list", "/lib/classes.sig"); }

static bool bring_signature_of_other(void)
{
	struct file insns = read_file("/lib/insns"), signature = read_file("/lib/insns.sig");
	struct guard_signature brought = {(uintptr_t)insns.bytes, (uintptr_t)signature.bytes, insns.size / 8, signature.size};
	bool passes = ERROR_OF(syscall(SYS_bpf, GUARD_COMMAND_SIGNATURE, &brought, sizeof(brought))) == EALREADY;

	free(insns.bytes);
	free(signature.bytes);
	return passes;
}

static bool use_ports(void)
{
	int error = ERROR_OF(iopl(3));

	iopl(0);
	return error == 0;
}

static bool read_for_kexec(void)
{
	int fd = open("/lib/insns", O_RDONLY);
	int error = ERROR_OF(syscall(SYS_kexec_file_load, fd, -1, 1, "", 4 /* KEXEC_FILE_NO_INITRAMFS */));

	close(fd);
	return error != EPERM;
}

static bool load_module_file(void)
{
	int fd = open("/lib/msr.ko", O_RDONLY);
	int error = ERROR_OF(syscall(SYS_finit_module, fd, "", 0));

	close(fd);
	syscall(SYS_delete_module, "msr", O_NONBLOCK);
	return error == 0;
}

static bool load_module(void)
{
	struct file file = read_file("/lib/msr.ko");
	int error = ERROR_OF(syscall(SYS_init_module, file.bytes, (unsigned long)file.size, ""));

	free(file.bytes);
	syscall(SYS_delete_module, "msr", O_NONBLOCK);
	return error == 0;
}

static bool start(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		begin_call();
		execl(path, path, NULL);
		end_call();
		_exit(100);
	}
	waitpid(child, &status, 0);
	end_call();
	return !WIFEXITED(status) || WEXITSTATUS(status) != 100;
}

static bool start_unlisted(void) { return start("/mnt/unlisted"); }
static bool start_in_memory(void) { return start("/memory/ok"); }

static bool map_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	int error = ERROR_OF(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));

	close(fd);
	return error == 0;
}

static bool map_unlisted(void) { return map_file("/mnt/unlisted"); }
static bool map_in_memory(void) { return map_file("/memory/ok"); }

static bool open_memory_of_agent(void)
{
	char path[64];
	int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/mem", agent);
	return ERROR_OF(fd = open(path, O_RDWR)) == 0 && close(fd) == 0;
}

// It is ignored where it arrives.
static bool signal_agent(void) { return ERROR_OF(kill(agent, SIGURG)) == 0; }

static bool write_sysctl(const char *path, const char *value, const char *restored)
{
	int fd = open(path, O_WRONLY);
	int error = ERROR_OF(write(fd, value, 1));

	if (!error && write(fd, restored, 1) != 1)
		perror(path);
	close(fd);
	return error == 0;
}

static bool turn_ftrace_off(void) { return write_sysctl("/proc/sys/kernel/ftrace_enabled", "0", "1"); }
static bool let_users_load(void) { return write_sysctl("/proc/sys/kernel/unprivileged_bpf_disabled", "0", "2"); }

static bool unmount_pins(void) { return ERROR_OF(umount2("/sys/fs/bpf", MNT_DETACH)) == 0; }
static bool unmount_above(void) { return ERROR_OF(umount2("/sys", MNT_DETACH)) == 0; }

static const char *first_pin(void)
{
	static char path[300];
	DIR *folder = opendir(PINS);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			snprintf(path, sizeof(path), PINS "/%s", entry->d_name);
	if (folder)
		closedir(folder);
	return path;
}

// Where nothing is mounted on /sys.
static bool remove_mount_point(void) { return ERROR_OF(rmdir("/sys")) == 0; }
static bool rename_mount_point(void) { return ERROR_OF(rename("/sys", "/sys2")) == 0; }

static bool move_pins(void)
{
	mkdir("/memory/moved", 0700);
	return ERROR_OF(syscall(SYS_move_mount, AT_FDCWD, "/sys/fs/bpf", AT_FDCWD, "/memory/moved", 0)) == 0;
}

static bool move_any_mount(void)
{
	mkdir("/memory/from", 0700);
	mkdir("/memory/to", 0700);
	mount("tmpfs", "/memory/from", "tmpfs", 0, NULL);
	bool passes = ERROR_OF(mount("/memory/from", "/memory/to", NULL, MS_MOVE, NULL)) == 0;

	umount2(passes ? "/memory/to" : "/memory/from", MNT_DETACH);
	return passes;
}

// Of the root that become_root() set.
static bool pivot(void) { return ERROR_OF(syscall(SYS_pivot_root, "/new", "/new/old")) == 0; }

static bool unlink_pin(void) { return ERROR_OF(unlink(first_pin())) == 0; }
static bool rename_pin(void) { return ERROR_OF(rename(first_pin(), PINS "/other")) == 0; }

// Run once before a refusal, in its process.
static void enter_user_namespace(void)
{
	if (unshare(CLONE_NEWUSER))
		abort();
}

static void share_mounts(void)
{
	if (mount(NULL, "/", NULL, MS_SHARED | MS_REC, NULL) || unshare(CLONE_NEWNS))
		abort();
}

// The mounts of the first namespace become slaves of those here.
static void become_master(void)
{
	int first = open("/proc/self/ns/mnt", O_RDONLY);
	pid_t child;

	share_mounts();
	child = fork();
	if (child == 0) {
		if (setns(first, CLONE_NEWNS) || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL))
			abort();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void leave_sys(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) || umount2("/sys", MNT_DETACH))
		abort();
}

// A root directory that pivot_root(2) takes.
static void become_root(void)
{
	mkdir("/memory/root", 0700);
	if (mount("tmpfs", "/memory/root", "tmpfs", 0, NULL) || mkdir("/memory/root/new", 0700) ||
	    mount("tmpfs", "/memory/root/new", "tmpfs", 0, NULL) || mkdir("/memory/root/new/old", 0700) ||
	    chroot("/memory/root") || chdir("/"))
		abort();
}

static const struct refusal {
	const char *name;
	bool (*passes)(void);
	void (*prepare)(void);
	bool by_agent, starts;
} REFUSALS[] = {
	{"load of an unlisted program", load_unlisted},
	{"load with core_relos", load_with_core_relos},
	{"load with another map", load_with_other_map},
	{"load with other contents", load_with_other_contents},
	{"load with another inner map", load_with_other_inner_map},
	{"load with fd_array_cnt", load_with_fd_array},
	{"load of a sysctl program that sets the return value", load_never},
	{"load of an LSM program", load_lsm},
	{"load of an fmod_ret program", load_fmod_ret},
	{"load with a ticket for another program", load_with_other_ticket, NULL, true},
	{"withdrawal of a ticket that is not there", withdraw_no_ticket, NULL, true},
	{"ticket of root", write_any_ticket},
	{"attach to the hook of sysctls", attach_sysctl},
	{"detach from a hook of LSM", detach_lsm},
	{"link to a hook of LSM", link_lsm},
	{"token", open_token},
	{"program of the guard", open_program},
	{"map of the guard", open_map},
	{"link of the guard", open_link},
	{"seal", seal_again},
	{"lock in a user namespace", lock_guard, enter_user_namespace},
	{"requirement of signatures in a user namespace", require_signatures, enter_user_namespace},
	{"list in a user namespace", give_list_of_other, enter_user_namespace},
	{"list of another signer", give_list_of_other},
	{"list with changed tables", give_changed_list},
	{"list with changed classes", give_changed_classes},
	{"signature in a user namespace", bring_signature_of_other, enter_user_namespace},
	{"signature of another signer", bring_signature_of_other},
	{"ports of the machine", use_ports},
	{"image for kexec", read_for_kexec},
	{"module by its file", load_module_file},
	{"module from memory", load_module},
	{"folder of a module that is always denied", make_folder_of_module},
	{"executable", start_unlisted, .starts = true},
	{"executable in memory", start_in_memory, .starts = true},
	{"mapped executable", map_unlisted, .starts = true},
	{"mapped executable in memory", map_in_memory, .starts = true},
	{"memory of the agent", open_memory_of_agent},
	{"signal to the agent", signal_agent},
	{"kernel.unprivileged_bpf_disabled", let_users_load},
	{"mount of the pins", unmount_pins},
	{"mount above the pins", unmount_above},
	{"peer of the mount of the pins", unmount_pins, share_mounts},
	{"peer of the mount above the pins", unmount_above, share_mounts},
	{"master of the mount of the pins", unmount_pins, become_master},
	{"mount point of the pins", remove_mount_point, leave_sys},
	{"mount point of the pins by another name", rename_mount_point, leave_sys},
	{"mount of the pins by its fd", move_pins},
	{"mount in the namespace of the pins", move_any_mount},
	{"root in the namespace of the pins", pivot, become_root},
	{"pin", unlink_pin},
	{"pin by another name", rename_pin},
	// the last one: links do not come back where it passes
	{"kernel.ftrace_enabled", turn_ftrace_off},
};

static void fail(const struct refusal *refusal, uint32_t site, uint32_t nth)
{
	bool passes;

	arm(site, nth);
	passes = refusal->passes();
	if (passes)
		printf("passed %s: %u\n", refusal->name, site);
	fflush(stdout);
}

// Sites that are reached only where another one failed are found by the next round.
static void refuse(const struct refusal *refusal)
{
	struct fault *fault = guard_fault();
	bool tried[FAULT_SITES] = {0}, found = true;

	memset(fault->calls, 0, sizeof(fault->calls));
	fail(refusal, 0, 0);
	while (found) {
		found = false;
		for (uint32_t site = 1; site < FAULT_SITES; site++) {
			if (tried[site] || !fault->calls[site])
				continue;
			found = tried[site] = true;
			fail(refusal, site, 1);
			if (fault->count > 1) {
				fail(refusal, site, fault->count);
				fail(refusal, site, 0);
			}
		}
	}
	printf("refused %s\n", refusal->name);
	fflush(stdout);
}

static void enable_verity(const char *path)
{
	struct fsverity_enable_arg arg = {.version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096};
	int fd = open(path, O_RDONLY);

	if (fd < 0 || ioctl(fd, FS_IOC_ENABLE_VERITY, &arg))
		perror(path);
	close(fd);
}

static void run(bool all)
{
	agent = getpid();
	guard_fault();
	enable_verity("/mnt/unlisted");
	for (uint32_t i = 0; i < sizeof(REFUSALS) / sizeof(*REFUSALS); i++) {
		const struct refusal *refusal = &REFUSALS[i];
		int status = 0;

		if (!all && !refusal->starts)
			continue;
		if (refusal->by_agent) {
			refuse(refusal);
			continue;
		}
		pid_t child = fork();
		if (child == 0) {
			if (refusal->prepare)
				refusal->prepare();
			refuse(refusal);
			_exit(0);
		}
		waitpid(child, &status, 0);
		end_call();
	}
	print_failures();
}

void run_refusals(void) { run(true); }
void run_refused_executables(void) { run(false); }
