// neighbours SOCKET KIND TIMES: two containers of one agent, as an OCI runtime hands them over. One loads a program again and
// again; after its first loads the other one makes the gate wait, with ever new tasks:
//   endless  an attr in a page behind which nobody answers
//   log      the same for the buffer of the verifier's log, which the gate writes to
//   drip     an attr in a page that takes DRIP ms to come
//   path     OBJ_GET of a path in a FUSE file system that never answers
//   stuck    a program of that name, over which the policy of the tests never comes back
// That goes on until the gate has been made to wait often enough, TIMES times of these with loads of the first one
// beside it, and the first one has loaded enough. Prints `loads N failed N found N during N tries N beside N`: found is
// whether the first program is found by its id in the end, during how many loads were made since the other one began,
// tries how often that made the gate wait (by a task or by a page), and beside during how many of these waits the first
// one loaded more than once: a load whose answer is on its way when the wait begins needs the gate no more.
#include "bpf.h"
#include "runtime.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DRIP 14
// Loads before the other container begins, and what has to come after that.
#define ALONE 20
#define BESIDE 100
#define TRIES 10
// Where the first container does not load beside so many waits, it never will.
#define MOST_TRIES 1000

// What both containers count.
static volatile struct {
	uint32_t loads, failed, found, before, tries, beside;
} *count;

// The gate was made to wait, since so many loads.
static void waited_since(uint32_t loads)
{
	if (count->loads - loads > 1)
		count->beside++;
	count->tries++;
}

static void hand_over_as(const char *path, const char *name, int listener)
{
	char annotations[128];

	snprintf(annotations, sizeof(annotations), "{\"label.countersign/role\":\"%s\"}", name);
	hand_over(path, listener, name, annotations);
}

// A page that somebody else has to fill; `fd` is where its faults are told.
static char *missing_page(int *fd)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.range = {(uintptr_t)page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};

	*fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*fd < 0 || ioctl(*fd, UFFDIO_API, &api) || ioctl(*fd, UFFDIO_REGISTER, &range))
		_exit(3);
	return page;
}

static void *fill_slowly(void *range)
{
	static char content[4096];
	int fd = ((intptr_t *)range)[0];
	struct uffd_msg message;

	while (read(fd, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_copy copy = {((intptr_t *)range)[1], (uintptr_t)content, 4096};

		uint32_t loads = count->loads;

		usleep(DRIP * 1000);
		waited_since(loads);
		ioctl(fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

static void hung_file_system(void)
{
	char options[128];
	int fd = open("/dev/fuse", O_RDWR);

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("hung", "/mnt", "fuse", 0, options))
		perror("mounting"), exit(3);
}

static void make_it_wait(char kind)
{
	struct bpf_insn wrong[2] = {{.code = BPF_ALU64 | BPF_MOV | BPF_X, .src_reg = 5}, EXIT};
	union bpf_attr attr;
	pthread_t thread;
	intptr_t range[2];
	char *page;
	int fd;

	if (kind == 'p') {
		memset(&attr, 0, sizeof(attr));
		attr.pathname = (uintptr_t)"/mnt/program";
		bpf(BPF_OBJ_GET, &attr, sizeof(attr));
		return;
	}
	if (kind == 's') {
		fill(&attr, GOOD, 2);
		strcpy(attr.prog_name, "stuck");
		bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
		return;
	}
	page = missing_page(&fd);
	if (kind == 'd') {
		range[0] = fd, range[1] = (intptr_t)page;
		pthread_create(&thread, NULL, fill_slowly, range);
		for (;;) {
			bpf(BPF_PROG_LOAD, page, sizeof(attr));
			madvise(page, 4096, MADV_DONTNEED);
		}
	}
	fill(&attr, wrong, 2);
	attr.log_level = 1, attr.log_size = 4096, attr.log_buf = (uintptr_t)page;
	bpf(BPF_PROG_LOAD, kind == 'l' ? (void *)&attr : page, sizeof(attr));
}

static int is_enough(uint32_t times)
{
	if (count->before == 0 || count->loads - count->before < BESIDE || count->tries < TRIES)
		return 0;
	return count->beside >= times || count->tries >= MOST_TRIES;
}

static void victim(const char *socket, uint32_t times)
{
	struct bpf_prog_info info = {};
	union bpf_attr attr = {};
	int first = -1;

	hand_over_as(socket, "victim", listen_to_bpf(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	while (!is_enough(times)) {
		int fd = load(GOOD, 2);

		count->loads++;
		if (fd < 0)
			count->failed++;
		else if (first < 0)
			first = fd;
		else
			close(fd);
		usleep(200);
	}
	prog_info(first, &info);
	attr.prog_id = info.id;
	count->found = bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)) >= 0;
}

static void attack(const char *socket, char kind)
{
	setpgid(0, 0);
	if (kind == 'p')
		hung_file_system();
	hand_over_as(socket, "attacker", listen_to_bpf(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
	while (count->loads < ALONE)
		usleep(1000);
	count->before = count->loads;
	for (;;) {
		uint32_t loads = count->loads;
		pid_t child = fork();

		if (child == 0) {
			make_it_wait(kind);
			_exit(0);
		}
		waitpid(child, NULL, 0);
		waited_since(loads);
	}
}

int main(int argc, char **argv)
{
	pid_t loading, attacking;

	count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	loading = fork();
	if (loading == 0)
		return victim(argv[1], atoi(argv[3])), 0;
	attacking = fork();
	if (attacking == 0)
		attack(argv[1], argv[2][0]);
	if (wait(NULL) != loading)
		return fprintf(stderr, "the attacker has ended\n"), kill(loading, SIGKILL), 3;
	kill(-attacking, SIGKILL), kill(attacking, SIGKILL);
	printf("loads %u failed %u found %u during %u tries %u beside %u\n", count->loads, count->failed, count->found,
	       count->loads - count->before, count->tries, count->beside);
	return 0;
}
