/*
 * attacks NAME…     runs attacks, each in a process of its own; all if no name is given. If there is a guard, a line
 *                   `NAME: reasons N…` says which of its counters of denials grew
 * attacks list      prints their names
 * attacks prepare   loads and pins programs of attackers, for a guard that is sealed later
 * attacks -a          is a process for the agent
 * attacks -q …      is a helper that the kernel starts: see helper-attacks.c
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

#define SECONDS 30

static const struct attack *const tables[] = {load_attacks, attach_attacks, object_attacks, pin_attacks,
					      kernel_attacks, escape_attacks, agent_attacks, helper_attacks, trace_attacks,
					      type_attacks, keyring_attacks, accomplice_attacks, cgroup_attacks, volume_attacks,
					      tracer_attacks, link_attacks, signal_attacks, module_attacks, efi_attacks,
					      last_attacks};
static const char *running;

/* Errors that the kernel uses here; strerror has texts instead of names. */
static const char *errno_name(int error)
{
	static const struct {
		int value;
		const char *name;
	} names[] = {{EPERM, "EPERM"},	 {ENOENT, "ENOENT"},	 {EACCES, "EACCES"},   {EINVAL, "EINVAL"},
		     {EBADF, "EBADF"},	 {EBUSY, "EBUSY"},	 {EEXIST, "EEXIST"},   {ENOSYS, "ENOSYS"},
		     {ENODEV, "ENODEV"}, {EKEYREJECTED, "EKEYREJECTED"}, {E2BIG, "E2BIG"}, {EIO, "EIO"},
		     {EOPNOTSUPP, "EOPNOTSUPP"}, {ENOKEY, "ENOKEY"}, {ESRCH, "ESRCH"}, {EFAULT, "EFAULT"}, {ENOMEM, "ENOMEM"}, {ENXIO, "ENXIO"}};
	static char number[16];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].value == error)
			return names[i].name;
	snprintf(number, sizeof number, "errno %d", error);
	return number;
}

_Noreturn void held(const char *call)
{
	printf("%s: held %s (%s)\n", running, errno_name(errno), call);
	fflush(stdout);
	_exit(0);
}

_Noreturn void broken(const char *how, ...)
{
	va_list arguments;
	printf("%s: broken ", running);
	va_start(arguments, how);
	vprintf(how, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	_exit(0);
}

_Noreturn void skipped(const char *why)
{
	printf("%s: skipped %s\n", running, why);
	fflush(stdout);
	_exit(0);
}

int load_unlisted(void)
{
	struct load how = {.type = BPF_PROG_TYPE_SOCKET_FILTER};
	return LOAD_CODE(&how, MOV(0, UNLISTED_RESULT), EXIT);
}

int run_program(int program)
{
	char packet[64] = {0};
	union bpf_attr attr = {0};
	attr.test.prog_fd = program;
	attr.test.data_in = (uintptr_t)packet;
	attr.test.data_size_in = sizeof packet;
	return bpf(BPF_PROG_TEST_RUN, &attr, sizeof attr) ? -1 : (int)attr.test.retval;
}

_Noreturn void end_with_unlisted_load(const char *how)
{
	int program = load_unlisted();
	if (program < 0)
		held("load after it");
	if (run_program(program) != UNLISTED_RESULT)
		held("run of the program");
	broken("%s, and an unlisted program runs", how);
}

int root_cgroup(void)
{
	int context = syscall(SYS_fsopen, "cgroup2", 0);
	if (context < 0 || syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
		return -1;
	int mount = syscall(SYS_fsmount, context, 0, 0);
	return mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY);
}

static void run(const struct attack *attack)
{
	uint64_t before[DENIALS], after[DENIALS];
	bool is_guarded = read_denials(before);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		running = attack->name;
		alarm(SECONDS);
		attack->run();
		broken("ended without a result");
	}
	int status;
	waitpid(child, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		printf("%s: failed with status 0x%x\n", attack->name, status);
	if (!is_guarded || !read_denials(after))
		return;
	printf("%s: reasons", attack->name);
	for (int reason = 0; reason < DENIALS; reason++)
		if (after[reason] > before[reason])
			printf(" %d", reason);
	printf("\n");
}

int main(int count, char **words)
{
	if (count == 2 && strcmp(words[1], "prepare") == 0) {
		prepare();
		return 0;
	}
	if (count == 2 && strcmp(words[1], "-a") == 0)
		be_agent();
	if (count > 1 && strcmp(words[1], "-q") == 0) {
		help();
		return 0;
	}
	bool names_only = count == 2 && strcmp(words[1], "list") == 0;
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct attack *attack = tables[i]; attack->name; attack++) {
			bool wanted = count == 1;
			for (int word = 1; word < count; word++)
				wanted |= strcmp(words[word], attack->name) == 0;
			if (names_only)
				puts(attack->name);
			else if (wanted)
				run(attack);
		}
	return 0;
}
