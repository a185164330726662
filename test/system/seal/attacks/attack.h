/*
 * An attack on the guard, run as root in a process of its own. It ends with one of the functions below, which print one
 * line: `NAME: held WHY`, `NAME: broken HOW` or `NAME: skipped WHY`. An attack that says `broken` has seen what it
 * wanted to reach: an unlisted program that is loaded, or a change that it reads back. It undoes what it changed, where
 * it can.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct attack {
	const char *name;
	void (*run)(void);
};

/* Ended by an entry without name; one for each file. */
extern const struct attack load_attacks[], attach_attacks[], object_attacks[], pin_attacks[], kernel_attacks[],
    escape_attacks[], agent_attacks[], helper_attacks[], trace_attacks[], type_attacks[], keyring_attacks[],
    accomplice_attacks[], cgroup_attacks[], volume_attacks[], tracer_attacks[], link_attacks[], signal_attacks[],
    module_attacks[], efi_attacks[], last_attacks[];

/* `held` says which system call failed, with its errno. */
_Noreturn void held(const char *call);
_Noreturn void broken(const char *how, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void skipped(const char *why);

/* Loads a program that no list has. Returns its fd, or -1 and errno. Its return value, by which it is known: 23777. */
int load_unlisted(void);
#define UNLISTED_RESULT 23777
/* What the program returns for a packet of 64 bytes, or -1 and errno. */
int run_program(int program);
/* `broken` if an unlisted program can be loaded, with `how`; otherwise `held` with its errno. */
_Noreturn void end_with_unlisted_load(const char *how);

/* The counters of the guard's denials, by reason (enum guard_reason); false if there is no guard. */
#define DENIALS 32
bool read_denials(uint64_t *denials);
/* The serial number of the keyring whose signatures allow programs (guard_status.program_ring), or 0. */
int32_t read_program_ring(void);

/* The root of cgroup2, also if nothing is mounted. */
int root_cgroup(void);

/*
 * Programs that were loaded before the guard was sealed: `attacks prepare` pins them in a bpffs at ACCOMPLICES. They
 * reach hooks behind that of the load. Without it, an attack loads its programs itself.
 */
#define ACCOMPLICES "/tmp/accomplices"
enum accomplice {
	ALLOW_LOADS,	/* lsm_cgroup/bpf_prog_load: allows */
	OVERRIDE_LOADS, /* lsm_cgroup/bpf_prog_load: bpf_set_retval(0) */
	OVERRIDE_SYSCTL,
	WRITE_ELEMENTS, /* iter/bpf_map_elem: writes 0 to all of an element */
	DROP_PACKETS, /* a socket filter: returns 0 */
	CALL_NEXT, /* a socket filter: calls element 0 of its program array, or returns 1 */
	MAKE_CALL, /* a program of type SYSCALL: makes a call of bpf(2), see accomplice-call.h */
	WRITE_INNER, /* a socket filter: writes the map in its map of maps, and returns 1 */
	SPARE, /* a socket filter that nothing else needs */
	ACCOMPLICE_COUNT
};
int accomplice(enum accomplice which);
/* Removes its pin. */
void forget(enum accomplice which);
void prepare(void);

/*
 * The fd of a map of the guard by its name, opened for reading only if `flags` is BPF_F_RDONLY, or -1. Ids whose map
 * cannot be opened are passed over, and errno is that of the last one.
 */
int map_of_guard(const char *name, uint32_t flags);

/* The process id of the agent; skips the attack if there is none. */
pid_t agent_of_guard(void);

/* The folder with the guard's pins, and in `path` that of the first one; skips the attack if there are none. */
const char *pins(char *path, size_t size);
uint32_t count_links(void);
/* `broken` if there are fewer links than `before`. */
_Noreturn void end_with_links(uint32_t before, const char *how);

/* The physical address of a page that is in memory; skips the attack if the kernel does not show it. */
uint64_t physical_address(const void *page);

/* A module without the signature at its end, or with it; skips the attack if the guest does not have the file. */
char *read_module(const char *path, size_t *size, bool is_signed);

/* Waits for good: a test marks the process as the agent. */
_Noreturn void be_agent(void);

/* What the kernel starts as a helper: tries to load an unlisted program. */
void help(void);
