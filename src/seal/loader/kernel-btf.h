/* Ids of functions and types in the BTF of vmlinux, by name. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct kernel_btf {
	uint8_t *bytes;
	size_t size;
};

struct kernel_name {
	const char *name;
	/* BTF_KIND_… */
	uint32_t kind;
	/* 0 if the kernel has none. */
	uint32_t id;
};

/* Reads the file. Returns -1 and errno, with EINVAL for what is not BTF. */
int read_kernel_btf(struct kernel_btf *btf, int fd);
/* Sets the id of each name in one pass. */
void find_kernel_names(const struct kernel_btf *btf, struct kernel_name *names, size_t count);
void free_kernel_btf(struct kernel_btf *btf);
