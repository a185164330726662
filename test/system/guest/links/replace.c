// replace REPLACED.o LINKS.o: loads a program, runs it, and has `by_freplace` replace a function of it. Prints what it
// returns before and after, and what came of the replacement.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int returned(int program)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet));

	return bpf_prog_test_run_opts(program, &run) ? -errno : (int)run.retval;
}

int main(int argc, char **argv)
{
	struct bpf_object *target = bpf_object__open(argv[1]), *source = bpf_object__open(argv[2]);
	struct bpf_program *program, *replacement = NULL;
	int fd;

	libbpf_set_print(NULL);
	if (argc < 3 || !target || !source || bpf_object__load(target))
		return printf("target: %s\n", strerror(errno)), 1;
	fd = bpf_program__fd(bpf_object__find_program_by_name(target, "replaced"));
	printf("before: %d\n", returned(fd));
	bpf_object__for_each_program(program, source)
		if (!strcmp(bpf_program__name(program), "by_freplace"))
			replacement = program;
		else
			bpf_program__set_autoload(program, false);
	struct bpf_map *map;
	bpf_object__for_each_map(map, source)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, false);
	bpf_program__set_attach_target(replacement, fd, "verdict");
	if (bpf_object__load(source))
		printf("replacement: %s\n", errno == EPERM ? "EPERM" : strerror(errno));
	else
		printf("replacement: %s\n", bpf_program__attach_freplace(replacement, 0, NULL) ? "attached" : strerror(errno));
	printf("after: %d\n", returned(fd));
	return 0;
}
