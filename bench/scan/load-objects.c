/* Loads objects as libbpf does, again and again, until there are so many programs; makes links of one of them, which
 * has no events; and holds all until its standard input is closed: load-objects PROGRAMS LINKS OBJECT... */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The kernel's types are read once. */
static int load(const char *file, int room)
{
	struct bpf_object *object = bpf_object__open(file);
	struct bpf_program *program;
	int count = 0;

	if (object == NULL)
		return 0;
	bpf_object__for_each_program(program, object)
		if (bpf_program__autoload(program) && ++count > room) {
			bpf_program__set_autoload(program, false);
			count--;
		}
	return bpf_object__load(object) == 0 ? count : 0;
}

int main(int count, char **words)
{
	static const struct bpf_insn insns[] = {{.code = 0xb7}, {.code = 0x95}};
	struct rlimit all = {1 << 16, 1 << 16};
	int programs = atoi(words[1]), links = atoi(words[2]), loaded = 1, before = 0, made = 0, rare;
	char end;

	setrlimit(RLIMIT_NOFILE, &all);
	libbpf_set_print(NULL);
	rare = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "rare", "GPL", insns, 2, NULL);
	while (made < links && bpf_raw_tracepoint_open("sched_process_hang", rare) >= 0)
		made++;
	while (loaded < programs && loaded > before) {
		before = loaded;
		for (int at = 3; at < count && loaded < programs; at++)
			loaded += load(words[at], programs - loaded);
	}
	printf("loaded %d programs, %d links\n", loaded, made);
	fflush(stdout);
	while (read(0, &end, 1) > 0)
		;
	return 0;
}
