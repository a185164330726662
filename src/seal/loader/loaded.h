/* The guard on its way into the kernel: what was created, so that a failure can undo it. */
#pragma once
#include "../image/image.h"
#include "failure.h"
#include "kernel-btf.h"

#define MAX_MAPS 64
#define MAX_PROGRAMS 64
#define MAX_EXTERNS 64 /* of one program */
#define MAX_KEYS 256

struct image {
	const uint8_t *bytes;
	const struct image_header *header;
	const struct image_map *maps;
	const struct image_program *programs;
	uint32_t map_count;
	uint32_t program_count;
	uint32_t key_count;
};

static inline const struct image_key *image_keys(const struct image *image)
{
	return (const void *)(image->bytes + image->header->keys.offset);
}

struct loaded {
	int btf;
	int maps[MAX_MAPS];
	int programs[MAX_PROGRAMS];
	/* Of ATTACH_LINK; -1 for others. */
	int links[MAX_PROGRAMS];
	/* Whether the program is attached to the cgroup. */
	int attached[MAX_PROGRAMS];
	int cgroup;
	/* The folder of pins; empty before it is made, and once no path leads there. */
	char pins[64];
	/* At boot, once the pins are covered: their mount, and the root directory before; -1 otherwise. */
	int covered;
	int below;
	/* Serial numbers of the keyrings RING_…, 0 where there is none, and of the certificates in them. */
	int32_t rings[RING_COUNT];
	int32_t keys[MAX_KEYS];
	uint32_t key_count;
	/* SHA-256 of the BTF of vmlinux. */
	uint8_t kernel_btf[32];
};

/* For development. */
struct options {
	/* Print the whole log of the verifier to standard error if a program is rejected. */
	int log;
	/* Print a line for each program that was verified. */
	int statistics;
};

void init_loaded(struct loaded *loaded);
int open_image(struct image *image, const uint8_t *bytes, size_t size, struct failure *failure);
int load_guard(const struct image *image, const struct kernel_btf *kernel, struct loaded *loaded,
               const struct options *options, struct failure *failure);
/* The fd of a map that was created, or -1. */
int map_named(const struct image *image, const struct loaded *loaded, const char *name);
int attach_guard(const struct image *image, struct loaded *loaded, struct failure *failure);
/* Detaches and unpins what attach_guard attached; what was loaded dies with its fds. */
void undo(const struct image *image, struct loaded *loaded);
