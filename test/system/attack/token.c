// token: a BPF file system that delegates everything to a user namespace, a token made of it, and what it is good for.
// The task in the namespace opens the file system, its parent, which has all capabilities, lets it delegate. Prints
// what came of each step. token passed: the same, but the parent is `token serve`, a task outside of the gate at
// SOCKET, which makes the token, too. token zero: fd 0, which is no token, as one, open and closed.
#include "outside.h"
#include <linux/mount.h>
#include <sched.h>
#include <sys/stat.h>

// linux/bpf.h and linux/mount.h of Linux 6.9
#define TOKEN_CREATE 36
#define TOKEN_FD (1u << 16)

static int wait_for(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1;
}

static void map_root(pid_t child)
{
	const char *files[] = {"uid_map", "gid_map"};

	for (int i = 0; i < 2; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", child, files[i]);
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, "0 0 1", 5) != 5)
			perror(path), exit(3);
		close(fd);
	}
}

static int option(int fs, const char *name)
{
	return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, name, "any", 0);
}

// In a new user namespace: a mount of a file system of BPF that delegates, which `parent` has let it do.
static int delegating_mount(int parent)
{
	int fs, mount;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || write(parent, "", 1) != 1 || !wait_for(parent))
		perror("namespace"), exit(3);
	fs = syscall(SYS_fsopen, "bpf", 0);
	if (fs < 0)
		perror("fsopen"), exit(3);
	pass_fd(parent, fs);
	if (!wait_for(parent))
		exit(3);
	mount = syscall(SYS_fsmount, fs, 0, 0);
	SAY("mount", mount);
	return openat(mount, ".", O_RDONLY | O_DIRECTORY);
}

static void let_delegate(int child_socket, pid_t child)
{
	const char *names[] = {"delegate_cmds", "delegate_maps", "delegate_progs", "delegate_attachs"};
	int fs;

	if (!wait_for(child_socket))
		exit(3);
	map_root(child);
	if (write(child_socket, "", 1) != 1)
		exit(3);
	fs = pass_fd(child_socket, -1);
	for (int i = 0; i < 4; i++)
		if (option(fs, names[i]))
			printf("%s: %s\n", names[i], strerrorname_np(errno));
	SAY("delegate", syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	if (write(child_socket, "", 1) != 1)
		exit(3);
}

static int make_token(int mount)
{
	uint32_t attr[2] = {0, mount};

	return bpf(TOKEN_CREATE, attr, sizeof(attr));
}

static void use_as_token(int fd)
{
	static union { union bpf_attr attr; uint32_t words[42]; } it;
	// an int of four bytes: the header, its type, and its name
	static const struct {
		uint32_t header[6], type[4];
		char names[8];
	} types = {{0x1eb9f, 24, 0, 16, 16, 5}, {1, 1 << 24, 4, 32}, "\0int"};

	fill(&it.attr, GOOD, 2);
	it.attr.prog_type = BPF_PROG_TYPE_XDP;
	it.attr.prog_flags = TOKEN_FD;
	it.words[36] = fd;
	SAY("a program", bpf(BPF_PROG_LOAD, &it, 148));
	memset(&it, 0, sizeof(it));
	it.attr.map_type = BPF_MAP_TYPE_LPM_TRIE, it.attr.key_size = 8, it.attr.value_size = 8, it.attr.max_entries = 1;
	it.attr.map_flags = TOKEN_FD | BPF_F_NO_PREALLOC;
	it.words[19] = fd;
	SAY("a map", bpf(BPF_MAP_CREATE, &it, 80));
	memset(&it, 0, sizeof(it));
	it.attr.btf = (uintptr_t)&types, it.attr.btf_size = 24 + 16 + 5;
	it.words[8] = TOKEN_FD, it.words[9] = fd;
	SAY("types", bpf(BPF_BTF_LOAD, &it, 40));
}

static void use(int token)
{
	union bpf_attr attr;

	fill(&attr, GOOD, 2);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	SAY("a program without", bpf(BPF_PROG_LOAD, &attr, sizeof(attr)));
	use_as_token(token);
}

// A token as only a task of the same user namespace gets it.
static int token_as(pid_t of, int mount)
{
	int pair[2], token;
	pid_t child;

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	child = fork();
	if (child == 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/user", of);
		if (setns(open(path, O_RDONLY), CLONE_NEWUSER))
			perror(path), exit(3);
		token = make_token(mount);
		if (token < 0)
			printf("token of outside: %s\n", strerrorname_np(errno)), exit(3);
		pass_fd(pair[1], token);
		_exit(0);
	}
	close(pair[1]);
	return pass_fd(pair[0], -1);
}

static void serve(void)
{
	int listener = socket_at(getenv("SOCKET"), 1);

	// a client may leave before it is written to; the next one must still be served
	signal(SIGPIPE, SIG_IGN);
	printf("ready\n");
	for (;;) {
		int connection = accept(listener, NULL, NULL);
		struct ucred who;
		socklen_t size = sizeof(who);

		getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size);
		let_delegate(connection, who.pid);
		pass_fd(connection, token_as(who.pid, pass_fd(connection, -1)));
		close(connection);
	}
}

int main(int argc, char **argv)
{
	int pair[2], mount, token, status;
	pid_t child;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "serve"))
		return serve(), 0;
	if (argc > 1 && !strcmp(argv[1], "zero")) {
		use_as_token(0);
		close(0);
		use_as_token(0);
		return 0;
	}
	if (argc > 1) {
		pair[1] = socket_at(getenv("SOCKET"), 0);
		mount = delegating_mount(pair[1]);
		pass_fd(pair[1], mount);
		token = pass_fd(pair[1], -1);
	} else {
		socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
		child = fork();
		if (child > 0) {
			// so that a child that ends early is not waited for
			close(pair[1]);
			let_delegate(pair[0], child);
			waitpid(child, &status, 0);
			return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
		}
		mount = delegating_mount(pair[1]);
		token = make_token(mount);
	}
	SAY("token", token);
	use(token);
	return 0;
}
