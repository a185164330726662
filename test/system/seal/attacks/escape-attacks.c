/* Tasks that try to be where the guard is not: in other cgroups and namespaces. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

static void enter_cgroup(const char *name)
{
	int root = root_cgroup();
	mkdirat(root, name, 0755);
	int cgroup = openat(root, name, O_RDONLY | O_DIRECTORY);
	int procs = openat(cgroup, "cgroup.procs", O_WRONLY);
	if (procs < 0 || write(procs, "0", 1) != 1)
		held("write of cgroup.procs");
}

static void move_to_cgroup(void)
{
	enter_cgroup("attack");
	end_with_unlisted_load("moved to another cgroup");
}

/* `attacks prepare` attaches a program there that allows every load. */
static void cgroup_of_accomplice(void)
{
	enter_cgroup("accomplices");
	end_with_unlisted_load("moved to a cgroup with a program of its own");
}

static void clone_into_cgroup(void)
{
	int root = root_cgroup();
	mkdirat(root, "attack", 0755);
	struct clone_args how = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	how.cgroup = openat(root, "attack", O_RDONLY | O_DIRECTORY);
	long child = syscall(SYS_clone3, &how, sizeof how);
	if (child < 0)
		held("clone3");
	if (child == 0)
		end_with_unlisted_load("cloned into another cgroup");
	waitpid(child, NULL, 0);
	_exit(0);
}

static void unmount_cgroups(void)
{
	if (umount2("/sys/fs/cgroup", MNT_DETACH))
		held("umount2 of cgroup2");
	int program = load_unlisted();
	int error = errno;
	mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	errno = error;
	if (program < 0)
		held("load without cgroup2");
	broken("unmounted cgroup2, and an unlisted program loads");
}

static void other_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP))
		held("unshare");
	pid_t child = fork();
	if (child == 0)
		end_with_unlisted_load("in namespaces of its own");
	waitpid(child, NULL, 0);
	_exit(0);
}

static void send_fd(int socket, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof fd)] = {0};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	sendmsg(socket, &message, 0);
}

static int receive_fd(int socket)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	int fd = -1;
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	if (recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
	return fd;
}

static void write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	if (write(file, text, strlen(text)) < 0)
		held(path);
	close(file);
}

/* In a user namespace with a bpffs to which `socket`'s other end delegates everything. */
static _Noreturn void load_by_token(int socket)
{
	if (unshare(CLONE_NEWUSER))
		held("unshare of the user namespace");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 0 1");
	write_file("/proc/self/gid_map", "0 0 1");
	if (unshare(CLONE_NEWNS))
		held("unshare of the mount namespace");
	int context = syscall(SYS_fsopen, "bpf", 0);
	if (context < 0)
		held("fsopen");
	send_fd(socket, context);
	char byte;
	recv(socket, &byte, 1, 0);
	int mount = syscall(SYS_fsmount, context, 0, 0);
	if (mount < 0)
		held("fsmount");
	int folder = openat(mount, ".", O_RDONLY | O_DIRECTORY);
	union bpf_attr attr = {0};
	attr.token_create.bpffs_fd = folder;
	int token = bpf(BPF_TOKEN_CREATE, &attr, sizeof attr);
	if (token < 0)
		held("BPF_TOKEN_CREATE");
	struct load how = {.type = BPF_PROG_TYPE_XDP, .token_fd = token};
	int program = LOAD_CODE(&how, MOV(0, UNLISTED_RESULT), EXIT);
	if (program < 0)
		held("load with a token");
	broken("loaded with a token in a user namespace");
}

static void token(void)
{
	int sockets[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
	pid_t child = fork();
	if (child == 0)
		load_by_token(sockets[1]);
	close(sockets[1]);
	int context = receive_fd(sockets[0]);
	static const char *const names[] = {"delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"};
	if (context >= 0) {
		for (int i = 0; i < 4; i++)
			if (syscall(SYS_fsconfig, context, 1 /* FSCONFIG_SET_STRING */, names[i], "any", 0))
				perror(names[i]);
		if (syscall(SYS_fsconfig, context, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
			perror("FSCONFIG_CMD_CREATE");
		send(sockets[0], "", 1, 0);
	}
	waitpid(child, NULL, 0);
	_exit(0);
}

/* A user without any right, who gets a program from root. */
static _Noreturn void use_passed_program(int socket)
{
	int program = receive_fd(socket), pair[2];
	if (program < 0)
		held("receive of the fd");
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) || setresgid(65534, 65534, 65534) ||
	    setresuid(65534, 65534, 65534))
		held("setresuid");
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) ||
	    setsockopt(pair[1], SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program))
		held("SO_ATTACH_BPF");
	send(pair[0], "x", 1, 0);
	char byte;
	if (recv(pair[1], &byte, 1, MSG_DONTWAIT) == 1)
		held("program");
	broken("a user without rights filters packets with a program of root");
}

static void passed_fd(void)
{
	int sockets[2], program = accomplice(DROP_PACKETS);
	if (program < 0)
		skipped("no program was loaded before the seal");
	socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
	pid_t child = fork();
	if (child == 0) {
		close(program);
		use_passed_program(sockets[1]);
	}
	send_fd(sockets[0], program);
	waitpid(child, NULL, 0);
	_exit(0);
}

/* Of a packet, no byte is left. */
static void attach_elsewhere(void)
{
	int sockets[2], program = accomplice(DROP_PACKETS);
	char byte = 'x';
	if (program < 0)
		skipped("no program was loaded before the seal");
	socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets);
	if (setsockopt(sockets[0], SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program))
		held("SO_ATTACH_BPF");
	if (send(sockets[1], &byte, 1, MSG_DONTWAIT) == 1 && recv(sockets[0], &byte, 1, MSG_DONTWAIT) == 1) {
		errno = EPERM;
		held("the program does not drop packets");
	}
	broken("attached a program that drops packets");
}

const struct attack escape_attacks[] = {
    {"move-to-cgroup", move_to_cgroup},
    {"cgroup-of-accomplice", cgroup_of_accomplice},
    {"clone-into-cgroup", clone_into_cgroup},
    {"unmount-cgroups", unmount_cgroups},
    {"other-namespaces", other_namespaces},
    {"token", token},
    {"passed-fd", passed_fd},
    {"attach-elsewhere", attach_elsewhere},
    {0},
};
