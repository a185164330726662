// keeper [ID]: loads a program and creates a map that takes more than half of the test's quota; prints the program's id
// and then, ten times a second, whether it finds both by their ids and whether there is room for another such map. With
// an ID it says alone whether it finds that program.
#include "bpf.h"

static int map_id(int fd)
{
	struct bpf_map_info info = {};
	union bpf_attr attr = {.info = {.bpf_fd = fd, .info_len = sizeof(info), .info = (uintptr_t)&info}};

	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) ? -1 : (int)info.id;
}

static const char *found(int cmd, int id)
{
	union bpf_attr attr = {.prog_id = id};
	int fd = bpf(cmd, &attr, sizeof(attr));

	if (fd < 0)
		return errno == ENOENT ? "not found" : strerror(errno);
	close(fd);
	return "found";
}

int main(int argc, char **argv)
{
	struct bpf_prog_info info;
	int program, map;

	if (argc > 1)
		return puts(found(BPF_PROG_GET_FD_BY_ID, atoi(argv[1]))) < 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	program = load(GOOD, 2);
	prog_info(program, &info);
	map = map_id(array(700 * 1024));
	for (printf("%u\n", info.id);; usleep(100 * 1000)) {
		const char *there = found(BPF_PROG_GET_FD_BY_ID, info.id);
		int other;

		printf("program %s, map %s, ", there, found(BPF_MAP_GET_FD_BY_ID, map));
		other = array(700 * 1024);
		puts(other >= 0 ? "room" : errno == ENOMEM ? "no room" : strerror(errno));
		if (other >= 0)
			close(other);
	}
}
