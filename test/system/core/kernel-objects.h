// What fake-kernel.c and real-kernel.c share: the objects behind fds, and what is written down of them.
#pragma once
#include "fake-kernel.h"
#include <sys/types.h>

struct blob {
	void *bytes;
	uint32_t size;
};

enum kind { MAP, PROGRAM, BTF, LINK };

// What the kernel has behind an fd. The fake kernel's fds are memfds: libbpf moves them with dup3(2) and maps them.
struct object {
	// Of a memfd.
	ino_t inode;
	// The real kernel's id; -1 for an object of the fake kernel.
	int64_t kernel_id;
	enum kind kind;
	// Of a BTF its BTF id; of a program that of its BTF; of a map its number.
	uint32_t id;
	char name[64];
	bool of_kernel;
	struct blob btf;
	uint32_t value_size;
	bool updated;
};

// Ids of BTF that loaders load.
#define OWN_BTF_ID 1000

// BTF with which a loader probes is smaller than this, and that of an object is larger.
#define PROBE_BTF 256
static inline bool is_probe_btf(uint32_t size)
{
	return size <= PROBE_BTF;
}

struct object *new_object(enum kind kind, uint32_t id, const char *name);
// An object of the fake kernel.
int new_fd(enum kind kind, uint32_t id, const char *name);
struct object *behind(int fd, enum kind kind);

uint32_t next_btf_id(void);
void record_btf(uint32_t id, const void *bytes, uint32_t size);
bool is_probe_map(const union bpf_attr *attr);
uint32_t next_map_number(const union bpf_attr *attr);
void record_map(struct object *map, const union bpf_attr *attr);
void record_update(struct object *map, const union bpf_attr *attr);
// The name of a program; null for one with which a loader probes.
const char *program_name(const union bpf_attr *attr);
// Returns an fd that stands for the program, which is not loaded.
int record_program(const char *name, const union bpf_attr *attr);

// The size of attr that the loader passed to bpf(2).
extern uint32_t attr_size;
// If it is set, it answers bpf(2) in place of the fake kernel.
extern int (*fake_kernel_passes_on)(int command, union bpf_attr *attr);
// The kernel's id of the object behind an fd; -1 for a memfd.
extern int64_t (*fake_kernel_id_behind)(int fd, enum kind kind);
