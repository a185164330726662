// neighbours SOCKET SECONDS KIND: two containers of one agent, as an OCI runtime hands them over. One loads a program
// again and again and times each load; the other one begins LATER ms after it to make the gate wait, with ever new
// tasks:
//   none     it does nothing
//   endless  an attr in a page behind which nobody answers
//   log      the same for the buffer of the verifier's log, which the gate writes to
//   drip     an attr in a page that takes DRIP ms to come
//   path     OBJ_GET of a path in a FUSE file system that never answers
//   stuck    a program of that name, over which the policy of the tests never comes back
// Prints, in microseconds, how long the loads took: `p50 N p99 N p999 N max N over20 N over50 N over100 N`: overN are
// loads of more than so many milliseconds. Then `loads N failed N tries N found N before N during N`: found is whether
// the first program is found by its id in the end; before and during are loads per 10 seconds before the attacker began
// and after that.
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
#include <time.h>

#define MOST 2000000
#define DRIP 14
#define LATER 1000

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000ull + time.tv_nsec / 1000;
}

static int order(const void *a, const void *b)
{
	return *(uint32_t *)a < *(uint32_t *)b ? -1 : *(uint32_t *)a > *(uint32_t *)b;
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

		usleep(DRIP * 1000);
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

static uint32_t over(const uint32_t *times, uint32_t count, uint32_t milliseconds)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < count; i++)
		found += times[i] > milliseconds * 1000;
	return found;
}

// Per 10 seconds.
static uint32_t rate(uint32_t count, uint64_t from, uint64_t until)
{
	return until > from ? count * 10000000ull / (until - from) : 0;
}

int main(int argc, char **argv)
{
	uint32_t *times = mmap(NULL, MOST * sizeof(*times), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t *moments = (uint64_t *)(shared + 16); // of the first load, the first try and the last load
	uint64_t end = now() + atoi(argv[2]) * 1000000ull;
	pid_t attacker = 0, victim;
	char kind = argv[3][0];

	victim = fork();
	if (victim == 0) {
		struct bpf_prog_info info = {};
		union bpf_attr attr = {};
		int first = -1;

		hand_over_as(argv[1], "victim", listen_to_bpf(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
		moments[0] = now();
		while (now() < end && shared[0] < MOST) {
			uint64_t start = now();
			int fd = load(GOOD, 2);

			times[shared[0]++] = now() - start;
			if (fd < 0)
				shared[1]++;
			else if (first < 0)
				first = fd;
			else
				close(fd);
			usleep(200);
		}
		moments[2] = now();
		prog_info(first, &info);
		attr.prog_id = info.id;
		shared[3] = bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr)) >= 0;
		_exit(0);
	}
	if (kind != 'n')
		attacker = fork();
	if (kind != 'n' && attacker == 0) {
		setpgid(0, 0);
		if (kind == 'p')
			hung_file_system();
		hand_over_as(argv[1], "attacker", listen_to_bpf(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
		usleep(LATER * 1000);
		shared[4] = shared[0];
		moments[1] = now();
		while (now() < end) {
			pid_t child = fork();

			if (child == 0) {
				make_it_wait(kind);
				_exit(0);
			}
			shared[2]++;
			waitpid(child, NULL, 0);
		}
		_exit(0);
	}
	waitpid(victim, NULL, 0);
	if (attacker)
		kill(-attacker, SIGKILL), kill(attacker, SIGKILL);
	qsort(times, shared[0], sizeof(*times), order);
	printf("p50 %u p99 %u p999 %u max %u ", times[shared[0] / 2], times[shared[0] * 99ull / 100],
	       times[shared[0] * 999ull / 1000], shared[0] ? times[shared[0] - 1] : 0);
	printf("over20 %u over50 %u over100 %u ", over(times, shared[0], 20), over(times, shared[0], 50), over(times, shared[0], 100));
	printf("loads %u failed %u tries %u found %u ", shared[0], shared[1], shared[2], shared[3]);
	printf("before %u during %u\n", rate(shared[4], moments[0], moments[1]),
	       rate(shared[0] - shared[4], moments[1], moments[2]));
	return 0;
}
