// storm HOW AMOUNT…: loads `r0 = 2; exit` and has the kernel release it, as often as it can. It does not wait for the
// releases as other attacks do (frees.h), so without a gate that does, use it with few loads or in a guest only.
//   close SECONDS PROCESSES [LOADS]  each process loads and closes, at most LOADS times; prints how many were closed in
//                                    any second
//   kill SECONDS PROCESSES           processes that do so are killed a moment after they were started, and started anew
//   hold SECONDS PROGRAMS            loads as many, and then closes all of them, again and again
//   stay PROGRAMS                    loads as many and keeps them to its end
//   count SECONDS                    prints `counting`, and then how many programs were released in any second
//   containers SOCKET LOADS          one container that closes its LOADS programs, and one with few, under an agent
#include "bpf.h"
#include "runtime.h"
#include <sys/resource.h>
#include <time.h>

#define SAMPLE 20000
#define SAMPLES 50
#define MOST_SAMPLES 10000
#define MOST_CLOSED 65536

// When programs were closed by any process.
static struct {
	_Atomic int count;
	double times[MOST_CLOSED];
} *closed;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static int load_one(void)
{
	union bpf_attr attr;
	int fd;

	fill(&attr, GOOD, 2);
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		perror("load"), exit(1);
	return fd;
}

static long close_all_the_time(double end, long most)
{
	long loads = 0;

	for (; now() < end && (most == 0 || loads < most); loads++) {
		int fd = load_one(), index = closed->count++;

		if (index < MOST_CLOSED)
			closed->times[index] = now();
		close(fd);
	}
	return loads;
}

static int compare_times(const void *one, const void *other)
{
	double a = *(const double *)one, b = *(const double *)other;

	return a < b ? -1 : a > b;
}

static int most_closed_in_a_second(void)
{
	int count = closed->count < MOST_CLOSED ? closed->count : MOST_CLOSED, most = 0;

	qsort(closed->times, count, sizeof(*closed->times), compare_times);
	for (int from = 0, to = 0; to < count; to++) {
		while (closed->times[from] <= closed->times[to] - 1)
			from++;
		if (to - from + 1 > most)
			most = to - from + 1;
	}
	return most;
}

static void close_in(int processes, double end, long most)
{
	for (int i = 0; i < processes; i++)
		if (fork() == 0) {
			close_all_the_time(end, most);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
}

static void kill_in(int processes, double end)
{
	pid_t children[64];
	unsigned seed = 1;

	while (now() < end) {
		for (int i = 0; i < processes; i++) {
			children[i] = fork();
			if (children[i] == 0)
				close_all_the_time(end, 0), _exit(0);
		}
		usleep(rand_r(&seed) % 3000);
		for (int i = 0; i < processes; i++)
			kill(children[i], SIGKILL);
		while (wait(NULL) > 0)
			;
	}
}

static void load_many(int *fds, int count)
{
	for (int i = 0; i < count; i++)
		fds[i] = load_one();
}

static unsigned id_after(unsigned id)
{
	union bpf_attr attr = {.start_id = id};

	return syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) ? 0 : attr.next_id;
}

// The kernel gives each program the next id. So what was released is what was given without what is in use, and without
// the programs of this function, which releases one with each sample.
static void count(double end)
{
	static long released[MOST_SAMPLES];
	struct bpf_prog_info info;
	long most = 0, first = 0;
	int last = -1, samples = 0;

	printf("counting\n"), fflush(stdout);
	for (; now() < end && samples < MOST_SAMPLES; usleep(SAMPLE)) {
		int fd = load_one();
		long used = 0;

		close(last);
		last = fd;
		if (prog_info(fd, &info))
			perror("info"), exit(1);
		for (unsigned id = id_after(0); id != 0 && id <= info.id; id = id_after(id))
			used++;
		released[samples] = info.id - used - samples;
		first = released[0];
		for (int past = samples; past >= 0 && past > samples - SAMPLES; past--)
			if (released[samples] - released[past] > most)
				most = released[samples] - released[past];
		samples++;
	}
	printf("%ld in a second, %ld in all\n", most, released[samples - 1] - first);
}

static void containers(const char *path, long loads)
{
	int fds[32];

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (fork() == 0) {
		hand_over(path, listen_to_bpf(0), "closes", "{}");
		close_all_the_time(now() + 600, loads);
		_exit(0);
	}
	if (fork() == 0) {
		hand_over(path, listen_to_bpf(0), "stays", "{}");
		for (int i = 0; i < 32; i++) {
			load_many(fds + i, 1);
			if (i % 16 == 0)
				close(fds[i]);
			usleep(50000);
		}
		_exit(0);
	}
	for (int status; wait(&status) > 0;)
		if (status != 0)
			exit(1);
}

int main(int argc, char **argv)
{
	const char *how = argv[1];
	double end = now() + atof(argv[2]);
	int amount = atoi(argv[argc > 3 ? 3 : 2]), *fds = calloc(amount, sizeof(*fds));
	struct rlimit files = {65536, 65536};

	setrlimit(RLIMIT_NOFILE, &files);
	closed = mmap(NULL, sizeof(*closed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (strcmp(how, "close") == 0) {
		close_in(amount, end, argc > 4 ? atol(argv[4]) : 0);
		printf("%d closed in a second\n", most_closed_in_a_second());
	} else if (strcmp(how, "kill") == 0)
		kill_in(amount, end);
	else if (strcmp(how, "hold") == 0)
		while (now() < end) {
			load_many(fds, amount);
			for (int i = 0; i < amount; i++)
				close(fds[i]);
		}
	else if (strcmp(how, "stay") == 0)
		load_many(fds, amount);
	else if (strcmp(how, "count") == 0)
		count(end);
	else if (strcmp(how, "containers") == 0)
		containers(argv[2], amount);
	else
		return 2;
	printf("%s: done\n", how);
	return 0;
}
