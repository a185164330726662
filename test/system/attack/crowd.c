// crowd SOCKET COUNT: hands COUNT listeners to an agent as an OCI runtime does, each of a child that stands for a
// container whose label `tier` is t0 to t9 in turn. For each line on stdin every child loads `r0 = 2; exit` once;
// prints `tN: loaded refused failed` for each tier, of the children that could load, got EPERM, or anything else.
#include "bpf.h"
#include "runtime.h"

#define TIERS 10

// One of the containers, handed to the agent at a socket.
static void stand_in(const char *path, int index)
{
	char id[32], annotations[160];
	int listener = listen_to_bpf(0);

	snprintf(id, sizeof(id), "crowd-%d", index);
	snprintf(annotations, sizeof(annotations),
		 "{\"io.kubernetes.cri.container-name\":\"crowd-%d\",\"label.countersign/tier\":\"t%d\"}", index, index % TIERS);
	hand_over(path, listener, id, annotations);
}

// Waits for the outcome of a child.
static void answer(int child, int index, char *outcome)
{
	if (read(child, outcome, 1) == 1)
		return;
	fprintf(stderr, "child %d has ended\n", index);
	exit(1);
}

int main(int argc, char **argv)
{
	int count = atoi(argv[2]), *children = calloc(count, sizeof(*children));
	char outcome = 0, line[16];

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	// writing to a child that has ended fails
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < count; i++) {
		int pair[2];
		pid_t child;

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
			return perror("socketpair"), 1;
		child = fork();
		if (child < 0)
			return perror("fork"), 1;
		if (child == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			stand_in(argv[1], i);
			close(pair[0]);
			for (int j = 0; j < i; j++)
				close(children[j]);
			while (write(pair[1], &outcome, 1) == 1 && read(pair[1], &outcome, 1) == 1)
				outcome = load(GOOD, 2) >= 0 ? 0 : errno == EPERM ? 1 : 2;
			_exit(0);
		}
		close(pair[1]);
		children[i] = pair[0];
		answer(children[i], i, &outcome);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		int counts[TIERS][3] = {0};

		for (int i = 0; i < count; i++) {
			if (write(children[i], &outcome, 1) != 1)
				return fprintf(stderr, "child %d has ended\n", i), 1;
			answer(children[i], i, &outcome);
			counts[i % TIERS][(int)outcome]++;
		}
		for (int i = 0; i < TIERS; i++)
			printf("t%d: %d %d %d\n", i, counts[i][0], counts[i][1], counts[i][2]);
	}
	return 0;
}
