// What a list or a ticket must say of the programs.
#include <stdio.h>

#include "loads.h"

static void print_map(const struct map *map, const struct program *program)
{
	printf("{\"type\":%u,\"key_size\":%u,\"value_size\":%u,\"max_entries\":%u,\"flags\":%u,\"frozen\":%s,", map->type,
	       map->key_size, map->value_size, map->max_entries, map->flags, map->frozen ? "true" : "false");
	printf("\"inner_value_size\":%u,\"contents\":\"", map->inner_value_size);
	for (size_t i = 0; i < sizeof(map->contents); i++)
		printf("%02x", map->contents[i]);
	printf("\",\"settings\":[");
	for (int i = 0; map == program->maps && i < 2 && program->settings[i].size; i++)
		printf("%s{\"offset\":%u,\"size\":%u}", i ? "," : "", program->settings[i].offset, program->settings[i].size);
	printf("]}");
}

void describe_programs(void)
{
	for (uint32_t i = 0; i < PROGRAM_COUNT; i++) {
		const struct program *program = &PROGRAMS[i];

		printf("{\"name\":\"%s\",\"type\":%u,\"attach_type\":%u,\"flags\":%u,\"target\":", program->name, program->type,
		       program->attach_type, program->flags);
		printf(program->target ? "\"%s\"" : "null", program->target);
		printf(",\"insns\":\"");
		for (uint32_t at = 0; at < program->count * sizeof(struct bpf_insn); at++)
			printf("%02x", ((const uint8_t *)program->insns)[at]);
		printf("\",\"maps\":[");
		for (uint32_t map = 0; map < program->map_count; map++) {
			printf(map ? "," : "");
			print_map(&program->maps[map], program);
		}
		printf("]}\n");
	}
}
