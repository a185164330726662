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

int main(int argc, char **argv)
{
	int count = atoi(argv[2]), back[2];
	int(*turn)[2] = calloc(count, sizeof(*turn));
	char outcome = 0, line[16];

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pipe(back))
		return 1;
	for (int i = 0; i < count; i++) {
		if (pipe(turn[i]))
			return perror("pipe"), 1;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			stand_in(argv[1], i);
			close(turn[i][1]);
			for (int j = 0; j < i; j++)
				close(turn[j][1]);
			while (write(back[1], &outcome, 1) == 1 && read(turn[i][0], &outcome, 1) == 1)
				outcome = load(GOOD, 2) >= 0 ? 0 : errno == EPERM ? 1 : 2;
			_exit(0);
		}
		close(turn[i][0]);
		if (read(back[0], &outcome, 1) != 1)
			return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		int counts[TIERS][3] = {0};

		for (int i = 0; i < count; i++) {
			if (write(turn[i][1], &outcome, 1) != 1 || read(back[0], &outcome, 1) != 1)
				return 1;
			counts[i % TIERS][(int)outcome]++;
		}
		for (int i = 0; i < TIERS; i++)
			printf("t%d: %d %d %d\n", i, counts[i][0], counts[i][1], counts[i][2]);
	}
	return 0;
}
