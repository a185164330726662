#include <errno.h>
#include <string.h>

#include <linux/types.h>

#include "../guard/interface.h"
#include "loaded.h"

static int in_image(const struct image *image, struct range range, size_t unit)
{
	return (uint64_t)range.offset + range.size <= image->header->size && range.size % unit == 0 &&
	       range.offset % 8 == 0;
}

static int is_text(const char *text, size_t room)
{
	return memchr(text, 0, room) != NULL;
}

static int check_programs(const struct image *image)
{
	for (uint32_t i = 0; i < image->program_count; i++) {
		const struct image_program *program = &image->programs[i];
		if (!is_text(program->name, sizeof(program->name)) || !is_text(program->section, sizeof(program->section)) ||
		    !is_text(program->target, sizeof(program->target)) || !in_image(image, program->insns, 8) ||
		    !in_image(image, program->func_info, 8) || !in_image(image, program->line_info, 16) ||
		    !in_image(image, program->core_relos, 16) || !in_image(image, program->map_refs, 12) ||
		    !in_image(image, program->externs, sizeof(struct image_extern)) ||
		    program->externs.size > MAX_EXTERNS * sizeof(struct image_extern))
			return 0;
		const struct image_map_ref *refs = (const void *)(image->bytes + program->map_refs.offset);
		for (uint32_t r = 0; r < program->map_refs.size / sizeof(*refs); r++)
			if (refs[r].map >= image->map_count || refs[r].slot + 1 >= program->insns.size / 8)
				return 0;
		const struct image_extern *externs = (const void *)(image->bytes + program->externs.offset);
		for (uint32_t e = 0; e < program->externs.size / sizeof(*externs); e++)
			if (!is_text(externs[e].name, sizeof(externs[e].name)) ||
			    externs[e].slot + !externs[e].call >= program->insns.size / 8)
				return 0;
	}
	return 1;
}

static uint32_t patch_size(uint32_t kind)
{
	return kind == PATCH_KERNEL_BTF ? 32 : 4;
}

static int check_maps(const struct image *image)
{
	for (uint32_t i = 0; i < image->map_count; i++) {
		const struct image_map *map = &image->maps[i];
		if (!is_text(map->name, sizeof(map->name)) || map->value_size == 0 ||
		    !in_image(image, map->contents, map->contents.size == 0 ? 1 : map->value_size))
			return 0;
	}
	const struct image_patch *patches = (const void *)(image->bytes + image->header->patches.offset);
	for (uint32_t i = 0; i < image->header->patches.size / sizeof(*patches); i++)
		if (patches[i].map >= image->map_count ||
		    (uint64_t)patches[i].offset + patch_size(patches[i].kind) > image->maps[patches[i].map].contents.size)
			return 0;
	return image->header->status_map < image->map_count &&
	       image->maps[image->header->status_map].value_size == image->header->status.size;
}

static int check_keys(const struct image *image)
{
	const struct image_key *keys = image_keys(image);
	for (uint32_t i = 0; i < image->key_count; i++)
		if (keys[i].ring >= RING_COUNT || !in_image(image, keys[i].certificate, 1))
			return 0;
	return image->key_count <= MAX_KEYS;
}

int open_image(struct image *image, const uint8_t *bytes, size_t size, struct failure *failure)
{
	const struct image_header *header = (const void *)bytes;
	errno = 0;
	if (size < sizeof(*header) || memcmp(header->magic, IMAGE_MAGIC, sizeof(header->magic)) != 0 ||
	    header->size != size)
		return fail(failure, STEP_IMAGE, "image", "is not an image of a guard, or is cut short");
	*image = (struct image){.bytes = bytes, .header = header};
	if (header->guard_version != GUARD_VERSION)
		return fail(failure, STEP_IMAGE, "image", "is of another version of Countersign than its loader");
	if (!in_image(image, header->maps, sizeof(struct image_map)) ||
	    !in_image(image, header->programs, sizeof(struct image_program)) || !in_image(image, header->btf, 1) ||
	    !in_image(image, header->patches, sizeof(struct image_patch)) ||
	    !in_image(image, header->keys, sizeof(struct image_key)) || !in_image(image, header->license, 1) ||
	    !in_image(image, header->status, 1))
		return fail(failure, STEP_IMAGE, "image", "has parts outside of it");
	image->maps = (const void *)(bytes + header->maps.offset);
	image->map_count = header->maps.size / sizeof(struct image_map);
	image->programs = (const void *)(bytes + header->programs.offset);
	image->program_count = header->programs.size / sizeof(struct image_program);
	image->key_count = header->keys.size / sizeof(struct image_key);
	if (image->map_count > MAX_MAPS || image->program_count > MAX_PROGRAMS || header->license.size == 0 ||
	    header->status.size != sizeof(struct guard_status) || !check_maps(image) || !check_programs(image) ||
	    !check_keys(image))
		return fail(failure, STEP_IMAGE, "image", "has maps or programs with impossible values");
	return 0;
}
