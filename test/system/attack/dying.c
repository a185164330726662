// dying LOG: a task whose program takes the kernel's verifier seconds is killed once LOG says that it was decided.
// Another one then loads a program that is large as well. dying bare: loads, without a gate, a program that takes the
// verifier less than that one.
#include "large.h"

static int is_decided(const char *log)
{
	char text[4096];
	int fd = open(log, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[length < 0 ? 0 : length] = 0;
	return strstr(text, "bpf_prog_load") != NULL;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "bare") == 0)
		return load(insns, straight()) < 0;
	pid_t dying = fork();
	if (dying == 0) {
		load(insns, branches());
		return 0;
	}
	while (!is_decided(argv[1])) {
		if (waitpid(dying, NULL, WNOHANG) == dying)
			return puts("ended before it was decided"), 1;
		usleep(1000);
	}
	kill(dying, SIGKILL);
	waitpid(dying, NULL, 0);
	puts("killed");
	fflush(stdout);
	straight();
	insns[5000] = EXIT;
	puts(load(insns, 5001) < 0 ? strerrorname_np(errno) : "loaded");
	return 0;
}
