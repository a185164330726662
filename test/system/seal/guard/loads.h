// A load of a BPF program as a test makes it: with raw bpf(2), so that each property can be changed by itself.
#pragma once
#include <linux/bpf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_MAPS 4
#define MAX_INSNS 128

struct map {
	uint32_t type, key_size, value_size, max_entries, flags;
	bool frozen;
	// Contents of the one element of a read-only array; the rest is zero.
	uint8_t contents[72];
	// Value size of the inner array of a map of maps; 0 for other maps.
	uint32_t inner_value_size;
};

struct program {
	const char *name;
	uint32_t type, attach_type, flags;
	const char *license;
	// A function of the kernel, or NULL.
	const char *target;
	// The immediate of a reference to a map is the map's index.
	struct bpf_insn insns[MAX_INSNS];
	uint32_t count;
	struct map maps[MAX_MAPS];
	uint32_t map_count;
	// Of the first map: ranges that a list leaves open.
	struct {
		uint32_t offset, size;
	} settings[2];
};

// A program that is about to be loaded, which a case changes.
struct load {
	struct program program;
	uint32_t core_relos, fd_array_cnt;
	// References name maps by their index in fd_array.
	bool indexed;
	// The second map is the first one, by another fd.
	bool doubled;
	// Another thread shares the table of fds.
	bool threaded;
};

// Its maps, and its instructions with the fds of them.
struct prepared {
	struct bpf_insn insns[MAX_INSNS];
	int fds[MAX_MAPS];
	pthread_t thread;
};

extern const struct program PROGRAMS[];
extern const uint32_t PROGRAM_COUNT;

// Prints a line of JSON for each of them.
void describe_programs(void);
void prepare_program(const struct load *load, struct prepared *prepared);
void release_program(const struct load *load, const struct prepared *prepared);
// `ticket`: the program for which a ticket is written before each load; NULL if a list has the program.
void run_faults(struct load *load, const char *name, const char *ticket);
int create_map(const struct map *map);
// An fd of the program, or -errno.
int load_program(const struct load *load);
// Passes a program to the kernel whose instructions name maps by the kernel's numbers. Returns an fd, or -errno.
int pass_program(const struct load *load, const int *fds, const struct bpf_insn *insns);
// Loads a program very often while another thread changes which map is meant.
void run_race(const struct program *program, uint32_t loads);
// The id of a function in the kernel's BTF, or 0.
uint32_t btf_id(const char *function);
int bpf(int command, union bpf_attr *attr);
