/*
 * The image of a guard: what src/seal/image (TypeScript) prepares from the object file, so that the loader needs no
 * ELF parser. Integers are little-endian. A `range` is a part of the image: offset from its start, and size, in bytes.
 */
#pragma once
#include <stdint.h>

#define IMAGE_MAGIC "CSGUARD\1"

struct range {
	uint32_t offset;
	uint32_t size;
};

struct image_header {
	char magic[8];
	/* Of the whole image, in bytes. */
	uint32_t size;
	/* GUARD_VERSION of the guard in it. */
	uint32_t guard_version;
	/* GUARD_MODE_… */
	uint32_t mode;
	/* What the loader does as pid 1 if it cannot seal: IMAGE_HALT or IMAGE_CONTINUE. */
	uint32_t on_failure;
	/* Index of the map guard_status. */
	uint32_t status_map;
	/* attach_flags of BPF_PROG_ATTACH. */
	uint32_t attach_flags;
	/* As for BPF_BTF_LOAD. */
	struct range btf;
	struct range maps;     /* struct image_map */
	struct range programs; /* struct image_program */
	struct range patches;  /* struct image_patch */
	struct range keys;     /* struct image_key */
	/* The licence, with a NUL. */
	struct range license;
	/* struct guard_status, which the loader completes and writes before the latch. */
	struct range status;
	/* SHA-256 of the BTF of the kernel that the list is for; zero for an empty list, which fits every kernel. */
	uint8_t kernel_btf[32];
};

#define IMAGE_HALT 0
#define IMAGE_CONTINUE 1

struct image_map {
	char name[16];
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t map_flags;
	uint32_t btf_key_type_id;
	uint32_t btf_value_type_id;
	/* 1: freeze it once it is filled. */
	uint32_t frozen;
	uint64_t map_extra;
	/* The first elements of an array, value after value without padding. */
	struct range contents;
};

/* What the loader writes into the contents of a map before it fills it. */
struct image_patch {
	uint32_t map;
	/* In the contents, in bytes. */
	uint32_t offset;
	uint32_t kind;
};

#define PATCH_LOADER_TGID 1 /* u32: the loader's process id */
#define PATCH_LIST_RING 2 /* s32: serial number of the keyring, 0 if there is none */
#define PATCH_PROGRAM_RING 3
#define PATCH_KERNEL_BTF 4 /* 32 bytes: SHA-256 of the BTF of vmlinux */

/* A certificate (X.509, DER) for a keyring of the kernel that nobody can change. */
struct image_key {
	uint32_t ring;
	struct range certificate;
};

#define RING_LISTS 0    /* who signs lists */
#define RING_PROGRAMS 1 /* whose signature allows a program */
#define RING_COUNT 2

struct image_program {
	char name[16];
	/* The section's name and the kernel function in the BTF of vmlinux, with a NUL; empty if it attaches to none. */
	char section[48];
	char target[48];
	uint32_t type;
	uint32_t expected_attach_type;
	uint32_t flags;
	/* ATTACH_… */
	uint32_t attach;
	/* BTF_KIND_… of the target. */
	uint32_t target_kind;
	uint32_t reserved;
	/* Before relocation. */
	struct range insns;
	struct range func_info;  /* struct bpf_func_info */
	struct range line_info;  /* struct bpf_line_info */
	struct range core_relos; /* struct bpf_core_relo, which the kernel applies */
	struct range map_refs;   /* struct image_map_ref */
	struct range externs;    /* struct image_extern */
};

#define ATTACH_NONE 0
#define ATTACH_CGROUP 1 /* BPF_PROG_ATTACH to the root cgroup */
#define ATTACH_LINK 2   /* BPF_LINK_CREATE, and a pin */

/* An ld_imm64 of a map (src 1), or of an address in its value (src 2), whose second slot is then the offset. */
struct image_map_ref {
	uint32_t slot;
	uint32_t map;
	uint32_t offset;
};

/* A call of a kfunc, or an ld_imm64 of a symbol, of vmlinux. */
struct image_extern {
	char name[48];
	uint32_t slot;
	/* BTF_KIND_FUNC or BTF_KIND_VAR. */
	uint32_t kind;
	/* 1: a kernel without it is allowed; the address is then 0, and a call of it is one that the kernel rejects. */
	uint32_t weak;
	uint32_t call;
};
