#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "loaded.h"

static void pin_path(const struct loaded *loaded, const struct image_program *program, char *path, size_t room)
{
	snprintf(path, room, "%s/%s", loaded->pins, program->name);
}

static int attach_to_cgroup(const struct image *image, uint32_t index, struct loaded *loaded)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)loaded->cgroup;
	attr.attach_bpf_fd = (uint32_t)loaded->programs[index];
	attr.attach_type = image->programs[index].expected_attach_type;
	attr.attach_flags = image->header->attach_flags;
	if (bpf_call(BPF_PROG_ATTACH, &attr, sizeof(attr)) != 0)
		return -1;
	loaded->attached[index] = 1;
	return 0;
}

static int attach_link(const struct image_program *program, uint32_t index, struct loaded *loaded)
{
	union bpf_attr attr;
	char path[96];
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)loaded->programs[index];
	attr.link_create.attach_type = program->expected_attach_type;
	int fd = loaded->links[index] = (int)bpf_call(BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return -1;
	pin_path(loaded, program, path, sizeof(path));
	memset(&attr, 0, sizeof(attr));
	attr.pathname = address(path);
	attr.bpf_fd = (uint32_t)fd;
	return (int)bpf_call(BPF_OBJ_PIN, &attr, sizeof(attr));
}

int attach_guard(const struct image *image, struct loaded *loaded, struct failure *failure)
{
	for (uint32_t i = 0; i < image->program_count; i++) {
		const struct image_program *program = &image->programs[i];
		char place[96];
		int result = 0;
		if (program->attach == ATTACH_CGROUP)
			result = attach_to_cgroup(image, i, loaded);
		else if (program->attach == ATTACH_LINK)
			result = attach_link(program, i, loaded);
		snprintf(place, sizeof(place), "program %s (%s)", program->name, program->section);
		if (result != 0)
			return fail(failure, STEP_ATTACH, place, "cannot be attached");
	}
	return 0;
}

void undo(const struct image *image, struct loaded *loaded)
{
	for (uint32_t i = image->program_count; i-- > 0;) {
		const struct image_program *program = &image->programs[i];
		union bpf_attr attr;
		char path[96];
		if (loaded->attached[i]) {
			memset(&attr, 0, sizeof(attr));
			attr.target_fd = (uint32_t)loaded->cgroup;
			attr.attach_bpf_fd = (uint32_t)loaded->programs[i];
			attr.attach_type = program->expected_attach_type;
			bpf_call(BPF_PROG_DETACH, &attr, sizeof(attr));
		}
		if (loaded->links[i] >= 0) {
			pin_path(loaded, program, path, sizeof(path));
			unlink(path);
			close(loaded->links[i]);
		}
	}
	for (uint32_t i = 0; i < image->program_count; i++)
		if (loaded->programs[i] >= 0)
			close(loaded->programs[i]);
	for (uint32_t i = 0; i < image->map_count; i++)
		if (loaded->maps[i] >= 0)
			close(loaded->maps[i]);
	close(loaded->btf);
}
