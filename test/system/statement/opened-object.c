/* Opens each BPF object that is named, as a loader does before it loads anything, and prints what libbpf then has: one
 * line for each map and program, and the BTF. Fields are separated by tabs. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static void print_hex(const void *data, size_t size)
{
	for (size_t at = 0; at < size; at++)
		printf("%02x", ((const unsigned char *)data)[at]);
}

static void print_map(const struct bpf_map *map, const char *kind)
{
	size_t size = 0;
	void *data = bpf_map__initial_value((struct bpf_map *)map, &size);

	printf("%s\t%s\t%u\t%u\t%u\t%u\t%u\t%u\t%llu\t%u\t%u\t%d\t%d\t", kind, bpf_map__name(map), bpf_map__type(map),
	       bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map),
	       bpf_map__numa_node(map), (unsigned long long)bpf_map__map_extra(map), bpf_map__btf_key_type_id(map),
	       bpf_map__btf_value_type_id(map), bpf_map__pin_path(map) != NULL, bpf_map__autocreate(map));
	if (bpf_map__is_internal(map) && data)
		print_hex(data, size);
	printf("\n");
}

int main(int argc, char **argv)
{
	libbpf_set_print(silent);
	for (int at = 1; at < argc; at++) {
		struct bpf_object *object = bpf_object__open_file(argv[at], NULL);
		struct bpf_program *program;
		struct bpf_map *map;
		const void *btf;
		__u32 size = 0;

		printf("object\t%s\t%d\n", argv[at], object != NULL);
		if (!object)
			continue;
		bpf_object__for_each_map(map, object) {
			print_map(map, "map");
			if (bpf_map__inner_map(map))
				print_map(bpf_map__inner_map(map), "inner");
		}
		bpf_object__for_each_program(program, object)
			printf("program\t%s\t%s\t%u\t%u\t%zu\n", bpf_program__name(program), bpf_program__section_name(program),
			       bpf_program__type(program), bpf_program__expected_attach_type(program),
			       bpf_program__insn_cnt(program));
		btf = bpf_object__btf(object) ? btf__raw_data(bpf_object__btf(object), &size) : NULL;
		printf("btf\t");
		if (btf)
			print_hex(btf, size);
		printf("\n");
		bpf_object__close(object);
	}
	return 0;
}
