/* Fds of the guard's maps, programs and links. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>

#include "../../../../src/seal/guard/interface.h"
#include "attack.h"
#include "bpf.h"

static int info_of(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = {0};
	attr.info.bpf_fd = fd;
	attr.info.info_len = size;
	attr.info.info = (uintptr_t)info;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof attr);
}

/* The map with the constants of the guard (section .rodata of its object). */
#define CONSTANTS "guard.rodata"

static bool is_of_guard(const char *name)
{
	return strncmp(name, "guard_", 6) == 0;
}

int map_of_guard(const char *name, uint32_t flags)
{
	int error = ENOENT;
	for (uint32_t id = 0; (id = next_id(BPF_MAP_GET_NEXT_ID, id));) {
		struct bpf_map_info info = {0};
		int map = fd_by_id(BPF_MAP_GET_FD_BY_ID, id, flags);
		if (map < 0) {
			error = errno;
			continue;
		}
		if (info_of(map, &info, sizeof info) == 0 && is_of_guard(info.name) &&
		    (name == NULL || strncmp(info.name, name, BPF_OBJ_NAME_LEN) == 0))
			return map;
		close(map);
	}
	errno = error;
	return -1;
}

static bool read_status(struct guard_status *status)
{
	/* found once, since looking for it is denied for other maps of the guard */
	static uint32_t id;
	struct bpf_map_info info = {0};
	uint32_t key = 0;
	union bpf_attr attr = {0};
	int map = id ? fd_by_id(BPF_MAP_GET_FD_BY_ID, id, BPF_F_RDONLY) : map_of_guard("guard_status", BPF_F_RDONLY);
	attr.map_fd = map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)status;
	if (map < 0 || info_of(map, &info, sizeof info) || info.value_size != sizeof *status ||
	    bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr))
		return false;
	id = info.id;
	close(map);
	return true;
}

bool read_denials(uint64_t *denials)
{
	struct guard_status status;
	if (!read_status(&status))
		return false;
	memcpy(denials, status.denied, sizeof status.denied);
	return true;
}

int32_t read_program_ring(void)
{
	struct guard_status status;
	return read_status(&status) ? status.program_ring : 0;
}

/* Looks up the first element, and writes it back. */
static int rewrite(int map)
{
	static char value[1 << 16];
	uint32_t key = 0;
	union bpf_attr attr = {0};
	attr.map_fd = map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)value;
	return bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr) || bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof attr);
}

static void map_by_id(void)
{
	int map = map_of_guard(NULL, 0);
	if (map < 0)
		held("BPF_MAP_GET_FD_BY_ID");
	struct bpf_map_info info = {0};
	if (info_of(map, &info, sizeof info) || rewrite(map))
		held("write of the map");
	broken("wrote map %s", info.name);
}

/* The list itself, which user space has no need to read. */
static void list_by_id(void)
{
	if (map_of_guard("guard_list_a", BPF_F_RDONLY) < 0)
		held("BPF_MAP_GET_FD_BY_ID with BPF_F_RDONLY");
	broken("opened the list");
}

/* Frozen, so that the kernel writes it for nobody; the fd alone would let a program have it as its map. */
static void constants_by_id(void)
{
	int error = ENOENT;
	for (uint32_t id = 0; (id = next_id(BPF_MAP_GET_NEXT_ID, id));) {
		struct bpf_map_info info = {0};
		int map = fd_by_id(BPF_MAP_GET_FD_BY_ID, id, 0);
		if (map < 0)
			error = errno;
		else if (info_of(map, &info, sizeof info) == 0 && strcmp(info.name, CONSTANTS) == 0)
			broken("opened %s for writing", info.name);
		else
			close(map);
	}
	errno = error;
	held("BPF_MAP_GET_FD_BY_ID");
}

/* An fd that is only for reading does not keep a BPF program from writing: the kernel does not ask. */
static void iterate_status(void)
{
	int map = map_of_guard("guard_status", BPF_F_RDONLY), program = accomplice(WRITE_ELEMENTS);
	if (map < 0)
		held("BPF_MAP_GET_FD_BY_ID with BPF_F_RDONLY");
	if (program < 0)
		held("load of an iterator");
	union bpf_iter_link_info info = {.map = {.map_fd = map}};
	union bpf_attr attr = {0};
	attr.link_create.prog_fd = program;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	attr.link_create.iter_info = (uintptr_t)&info;
	attr.link_create.iter_info_len = sizeof info;
	int link = bpf(BPF_LINK_CREATE, &attr, sizeof attr);
	if (link < 0)
		held("BPF_LINK_CREATE of an iterator");
	memset(&attr, 0, sizeof attr);
	attr.iter_create.link_fd = link;
	int iterator = bpf(BPF_ITER_CREATE, &attr, sizeof attr);
	char byte;
	if (iterator < 0 || read(iterator, &byte, 1) < 0)
		held("run of an iterator");
	end_with_unlisted_load("an iterator wrote guard_status");
}

/* A program with the status as its own map. */
static void use_status(void)
{
	int map = map_of_guard("guard_status", BPF_F_RDONLY);
	if (map < 0)
		held("BPF_MAP_GET_FD_BY_ID with BPF_F_RDONLY");
	struct load how = {.type = BPF_PROG_TYPE_SOCKET_FILTER};
	int program = LOAD_CODE(&how, STORE(BPF_W, 10, -4, 0), MOV_REG(2, 10), ADD(2, -4), MAP_FD(1, map),
				CALL(BPF_FUNC_map_lookup_elem), JUMP_IF_ZERO(0, 2), STORE(BPF_W, 0, 4, 1),
				STORE(BPF_W, 0, 8, 0), MOV(0, 0), EXIT);
	if (program < 0)
		held("load of a program with guard_status");
	if (run_program(program) < 0)
		held("run of a program with guard_status");
	end_with_unlisted_load("a program wrote guard_status");
}

static void program_by_id(void)
{
	int error = ENOENT;
	for (uint32_t id = 0; (id = next_id(BPF_PROG_GET_NEXT_ID, id));) {
		struct bpf_prog_info info = {0};
		int program = fd_by_id(BPF_PROG_GET_FD_BY_ID, id, 0);
		if (program < 0) {
			error = errno;
			continue;
		}
		if (info_of(program, &info, sizeof info) == 0 && is_of_guard(info.name))
			broken("has an fd of %s", info.name);
		close(program);
	}
	errno = error;
	held("BPF_PROG_GET_FD_BY_ID");
}

/* A link of the guard, which it asks the kernel to detach. */
static void link_by_id(void)
{
	int error = ENOENT, links = 0;
	for (uint32_t id = 0; (id = next_id(BPF_LINK_GET_NEXT_ID, id));) {
		int link = fd_by_id(BPF_LINK_GET_FD_BY_ID, id, 0);
		links++;
		if (link < 0) {
			error = errno;
			continue;
		}
		broken("has an fd of link %u", id);
	}
	if (links == 0)
		skipped("there are no links");
	errno = error;
	held("BPF_LINK_GET_FD_BY_ID");
}

static bool read_event(int map, uint32_t at, struct guard_event *event)
{
	union bpf_attr attr = {0};
	attr.map_fd = map;
	attr.key = (uintptr_t)&at;
	attr.value = (uintptr_t)event;
	return bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr) == 0;
}

/* Causes more denials than the guard keeps. Ends without a line if the first of all is lost. */
static void fill_log(void)
{
	struct guard_event before, after;
	struct guard_status status;
	int map = map_of_guard("guard_events", BPF_F_RDONLY);
	if (map < 0 || !read_status(&status))
		held("BPF_MAP_GET_FD_BY_ID with BPF_F_RDONLY");
	union bpf_attr attr = {0};
	bpf(BPF_TOKEN_CREATE, &attr, sizeof attr);
	if (!read_event(map, 0, &before) || before.number != 1)
		exit(1);
	for (int i = 0; i < 2 * GUARD_EVENT_COUNT; i++)
		bpf(BPF_TOKEN_CREATE, &attr, sizeof attr);
	if (!read_event(map, 0, &after) || memcmp(&before, &after, sizeof before) || !read_status(&status))
		exit(1);
	if (status.events <= GUARD_EVENT_COUNT) {
		errno = ENOENT;
		held("filling the log");
	}
	broken("%llu events were only counted", (unsigned long long)status.events - GUARD_EVENT_COUNT);
}

/* The latch and the one-way switches, from a process that is not the loader: no command may undo the seal. */
static void commands(void)
{
	union bpf_attr attr = {0};
	for (unsigned int command = 0x6700; command < 0x6800; command++) {
		/* these two are for root, and only deny more */
		if (command == 0x6702 || command == 0x6703)
			continue;
		if (bpf(command, &attr, sizeof attr) == 0 || errno == EALREADY)
			broken("the guard took command %#x", command);
	}
	end_with_unlisted_load("commands 0x6700 to 0x67ff");
}

const struct attack object_attacks[] = {
    {"map-by-id", map_by_id},	       {"list-by-id", list_by_id},
	{"constants-by-id", constants_by_id},
    {"iterate-status", iterate_status}, {"use-status", use_status}, {"program-by-id", program_by_id},
    {"link-by-id", link_by_id},	       {"commands", commands},
    {"fill-log", fill_log},	   {0},
};
