#include <errno.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf.h"
#include "loaded.h"

#define LOG_SIZE (16u << 20)
/* libbpf's POISON_CALL_KFUNC_BASE: a call that the verifier rejects if it is reachable. */
#define POISON_CALL 2002000000

void init_loaded(struct loaded *loaded)
{
	memset(loaded, 0, sizeof(*loaded));
	loaded->btf = loaded->cgroup = loaded->covered = loaded->below = -1;
	memset(loaded->maps, -1, sizeof(loaded->maps));
	memset(loaded->programs, -1, sizeof(loaded->programs));
	memset(loaded->links, -1, sizeof(loaded->links));
}

static int place(struct failure *failure, enum step step, const char *kind, const char *name, const char *detail)
{
	char text[96];
	snprintf(text, sizeof(text), "%s %s", kind, name);
	return fail(failure, step, text, detail);
}

/* The last line of a log that is not empty, or statistics. Linux 7.3 explains it in lines that follow. */
static const char *last_line(char *log)
{
	static const char EXPLANATION[] = "Verification failed: ";
	const char *last = "";
	for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n"))
		if (strncmp(line, EXPLANATION, sizeof(EXPLANATION) - 1) == 0)
			break;
		else if (strncmp(line, "processed ", 10) != 0 && strncmp(line, "verification time", 17) != 0 &&
		    strncmp(line, "stack depth", 11) != 0)
			last = line;
	return last;
}

static int load_btf(const struct image *image, struct loaded *loaded, struct failure *failure)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.btf = address(image->bytes + image->header->btf.offset);
	attr.btf_size = image->header->btf.size;
	loaded->btf = (int)bpf_call(BPF_BTF_LOAD, &attr, sizeof(attr));
	return loaded->btf < 0 ? fail(failure, STEP_BTF, "BTF of the guard", "the kernel rejects it") : 0;
}

static int fill(const struct image_map *map, int fd, uint8_t *contents)
{
	uint32_t count = map->contents.size / map->value_size;
	if (count == 1)
		return write_element(fd, 0, contents);
	uint32_t *keys = malloc(count * sizeof(*keys));
	if (keys == NULL)
		return -1;
	for (uint32_t i = 0; i < count; i++)
		keys[i] = i;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.batch.map_fd = fd;
	attr.batch.keys = address(keys);
	attr.batch.values = address(contents);
	attr.batch.count = count;
	int result = (int)bpf_call(BPF_MAP_UPDATE_BATCH, &attr, sizeof(attr));
	free(keys);
	return result;
}

static uint32_t patched_value(uint32_t kind, const struct loaded *loaded)
{
	switch (kind) {
	case PATCH_LOADER_TGID:
		return (uint32_t)getpid();
	case PATCH_LIST_RING:
		return (uint32_t)loaded->rings[RING_LISTS];
	case PATCH_PROGRAM_RING:
		return (uint32_t)loaded->rings[RING_PROGRAMS];
	default:
		return 0;
	}
}

static int fill_patched(const struct image *image, uint32_t index, const struct loaded *loaded, int fd)
{
	const struct image_map *map = &image->maps[index];
	uint8_t *contents = malloc(map->contents.size);
	if (contents == NULL)
		return -1;
	memcpy(contents, image->bytes + map->contents.offset, map->contents.size);
	const struct image_patch *patches = (const void *)(image->bytes + image->header->patches.offset);
	for (uint32_t i = 0; i < image->header->patches.size / sizeof(*patches); i++)
		if (patches[i].map == index) {
			uint32_t value = patched_value(patches[i].kind, loaded);
			if (patches[i].kind == PATCH_KERNEL_BTF)
				memcpy(contents + patches[i].offset, loaded->kernel_btf, sizeof(loaded->kernel_btf));
			else
				memcpy(contents + patches[i].offset, &value, sizeof(value));
		}
	int result = fill(map, fd, contents);
	free(contents);
	return result;
}

static int create_map(const struct image *image, uint32_t index, struct loaded *loaded, struct failure *failure)
{
	const struct image_map *map = &image->maps[index];
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = map->type;
	attr.key_size = map->key_size;
	attr.value_size = map->value_size;
	attr.max_entries = map->max_entries;
	attr.map_flags = map->map_flags;
	attr.map_extra = map->map_extra;
	memcpy(attr.map_name, map->name, sizeof(attr.map_name));
	if (map->btf_value_type_id != 0) {
		attr.btf_fd = (uint32_t)loaded->btf;
		attr.btf_key_type_id = map->btf_key_type_id;
		attr.btf_value_type_id = map->btf_value_type_id;
	}
	int fd = loaded->maps[index] = (int)bpf_call(BPF_MAP_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return place(failure, STEP_MAP, "map", map->name, "cannot be created");
	if (map->contents.size > 0 && fill_patched(image, index, loaded, fd) != 0)
		return place(failure, STEP_MAP, "map", map->name, "cannot be filled");
	if (map->frozen) {
		memset(&attr, 0, sizeof(attr));
		attr.map_fd = (uint32_t)fd;
		if (bpf_call(BPF_MAP_FREEZE, &attr, sizeof(attr)) != 0)
			return place(failure, STEP_MAP, "map", map->name, "cannot be frozen");
	}
	return 0;
}

/* Sets the fds of maps, and the BTF ids of kernel symbols; `ids` are those of the externs. */
static void relocate(const struct image *image, const struct image_program *program, struct bpf_insn *insns,
                     const struct loaded *loaded, const uint32_t *ids)
{
	const struct image_map_ref *refs = (const void *)(image->bytes + program->map_refs.offset);
	for (uint32_t i = 0; i < program->map_refs.size / sizeof(*refs); i++) {
		insns[refs[i].slot].imm = loaded->maps[refs[i].map];
		if (insns[refs[i].slot].src_reg == BPF_PSEUDO_MAP_VALUE)
			insns[refs[i].slot + 1].imm = (int32_t)refs[i].offset;
	}
	const struct image_extern *externs = (const void *)(image->bytes + program->externs.offset);
	for (uint32_t i = 0; i < program->externs.size / sizeof(*externs); i++) {
		struct bpf_insn *insn = &insns[externs[i].slot];
		insn->imm = (int32_t)ids[i];
		if (ids[i] != 0)
			continue;
		insn->src_reg = 0;
		if (externs[i].call)
			insn->imm = POISON_CALL + (int32_t)i;
	}
}

static int load_once(const struct image *image, const struct image_program *program, struct bpf_insn *insns,
                     const struct loaded *loaded, uint32_t target, char *log, uint32_t level)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = program->type;
	attr.expected_attach_type = program->expected_attach_type;
	attr.prog_flags = program->flags;
	attr.insns = address(insns);
	attr.insn_cnt = program->insns.size / sizeof(*insns);
	attr.license = address(image->bytes + image->header->license.offset);
	attr.attach_btf_id = target;
	attr.prog_btf_fd = (uint32_t)loaded->btf;
	memcpy(attr.prog_name, program->name, sizeof(attr.prog_name));
	if (program->func_info.size > 0) {
		attr.func_info = address(image->bytes + program->func_info.offset);
		attr.func_info_rec_size = sizeof(struct bpf_func_info);
		attr.func_info_cnt = program->func_info.size / sizeof(struct bpf_func_info);
	}
	if (program->line_info.size > 0) {
		attr.line_info = address(image->bytes + program->line_info.offset);
		attr.line_info_rec_size = sizeof(struct bpf_line_info);
		attr.line_info_cnt = program->line_info.size / sizeof(struct bpf_line_info);
	}
	if (program->core_relos.size > 0) {
		attr.core_relos = address(image->bytes + program->core_relos.offset);
		attr.core_relo_rec_size = sizeof(struct bpf_core_relo);
		attr.core_relo_cnt = program->core_relos.size / sizeof(struct bpf_core_relo);
	}
	if (log != NULL) {
		attr.log_level = level;
		attr.log_buf = address(log);
		attr.log_size = LOG_SIZE;
	}
	return (int)bpf_call(BPF_PROG_LOAD, &attr, sizeof(attr));
}

/* Loads a program; again with a log if the kernel rejects it. */
static int load_program(const struct image *image, uint32_t index, uint32_t target, const uint32_t *ids,
                        struct loaded *loaded, const struct options *options, struct failure *failure)
{
	const struct image_program *program = &image->programs[index];
	char *log = calloc(1, LOG_SIZE);
	struct bpf_insn *insns = malloc(program->insns.size);
	if (log == NULL || insns == NULL)
		return place(failure, STEP_PROGRAM, "program", program->name, "there is no memory");
	memcpy(insns, image->bytes + program->insns.offset, program->insns.size);
	relocate(image, program, insns, loaded, ids);
	int fd = load_once(image, program, insns, loaded, target, options->statistics ? log : NULL, 4);
	if (options->statistics && fd >= 0)
		fprintf(stderr, "%s: %s", program->name, log);
	if (fd < 0 && errno != EPERM) {
		int error = errno;
		memset(log, 0, LOG_SIZE);
		fd = load_once(image, program, insns, loaded, target, log, 1);
		if (fd < 0 && options->log)
			fprintf(stderr, "%s", log);
		errno = error;
	}
	loaded->programs[index] = fd;
	if (fd < 0)
		place(failure, STEP_PROGRAM, "program", program->name, log[0] == 0 ? "cannot be loaded" : last_line(log));
	free(insns);
	free(log);
	return fd < 0 ? -1 : 0;
}

static int kernel_lacks(struct failure *failure, const char *what, const char *name)
{
	struct utsname kernel;
	char detail[256];
	uname(&kernel);
	snprintf(detail, sizeof(detail), "kernel %s has no %s `%s`", kernel.release, what, name);
	errno = 0;
	return fail(failure, STEP_KERNEL, "BTF of vmlinux", detail);
}

/* The names of all targets, then those of all externs. */
struct names {
	struct kernel_name targets[MAX_PROGRAMS];
	struct kernel_name *externs;
	size_t extern_count;
};

static int find_names(const struct image *image, const struct kernel_btf *kernel, struct names *names,
                      struct failure *failure)
{
	names->extern_count = 0;
	for (uint32_t i = 0; i < image->program_count; i++)
		names->extern_count += image->programs[i].externs.size / sizeof(struct image_extern);
	names->externs = calloc(names->extern_count + 1, sizeof(*names->externs));
	if (names->externs == NULL)
		return fail(failure, STEP_KERNEL, "BTF of vmlinux", "there is no memory");
	size_t at = 0;
	for (uint32_t i = 0; i < image->program_count; i++) {
		const struct image_program *program = &image->programs[i];
		names->targets[i] = (struct kernel_name){program->target, program->target_kind, 0};
		const struct image_extern *externs = (const void *)(image->bytes + program->externs.offset);
		for (uint32_t e = 0; e < program->externs.size / sizeof(*externs); e++)
			names->externs[at++] = (struct kernel_name){externs[e].name, externs[e].kind, 0};
	}
	find_kernel_names(kernel, names->targets, image->program_count);
	find_kernel_names(kernel, names->externs, names->extern_count);
	at = 0;
	for (uint32_t i = 0; i < image->program_count; i++) {
		const struct image_program *program = &image->programs[i];
		if (program->target[0] != 0 && names->targets[i].id == 0)
			return kernel_lacks(failure, "function", program->target);
		const struct image_extern *externs = (const void *)(image->bytes + program->externs.offset);
		for (uint32_t e = 0; e < program->externs.size / sizeof(*externs); e++, at++)
			if (names->externs[at].id == 0 && !externs[e].weak)
				return kernel_lacks(failure, externs[e].kind == BTF_KIND_FUNC ? "function" : "variable",
				                    externs[e].name);
	}
	return 0;
}

int map_named(const struct image *image, const struct loaded *loaded, const char *name)
{
	for (uint32_t i = 0; i < image->map_count; i++)
		if (strcmp(image->maps[i].name, name) == 0)
			return loaded->maps[i];
	return -1;
}

int load_guard(const struct image *image, const struct kernel_btf *kernel, struct loaded *loaded,
               const struct options *options, struct failure *failure)
{
	struct names names;
	if (find_names(image, kernel, &names, failure) != 0)
		return -1;
	if (load_btf(image, loaded, failure) != 0)
		return -1;
	for (uint32_t i = 0; i < image->map_count; i++)
		if (create_map(image, i, loaded, failure) != 0)
			return -1;
	const struct kernel_name *externs = names.externs;
	for (uint32_t i = 0; i < image->program_count; i++) {
		uint32_t ids[MAX_EXTERNS] = {0};
		uint32_t count = image->programs[i].externs.size / sizeof(struct image_extern);
		for (uint32_t e = 0; e < count; e++)
			ids[e] = externs[e].id;
		externs += count;
		if (load_program(image, i, names.targets[i].id, ids, loaded, options, failure) != 0)
			return -1;
	}
	free(names.externs);
	return 0;
}
