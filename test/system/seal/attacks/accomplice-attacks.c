/* Programs from before the seal that make calls of bpf(2), or write a map that they get later. */
#include <errno.h>
#include <linux/types.h>
#include <string.h>
#include <unistd.h>

#include "../../../../src/seal/guard/interface.h"
#include "accomplice-call.h"
#include "attack.h"
#include "bpf.h"

/* Has the accomplice make a call. Returns what it got: below 0 an errno. */
static int64_t call_by_program(struct accomplice_call *call)
{
	int program = accomplice(MAKE_CALL), map;
	uint32_t key = 0;
	union bpf_attr attr = {0}, run = {0};
	if (program < 0)
		held("load of the program");
	map = map_of(program);
	attr.map_fd = map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)call;
	if (map < 0 || bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof attr))
		held("write of the program's map");
	run.test.prog_fd = program;
	if (bpf(BPF_PROG_TEST_RUN, &run, sizeof run) || bpf(BPF_MAP_LOOKUP_ELEM, &attr, sizeof attr))
		held("run of the program");
	return call->result;
}

static void accomplice_loads(void)
{
	struct accomplice_call call = {
	    .command = BPF_PROG_LOAD, .code = {MOV(0, UNLISTED_RESULT), EXIT}, .license = "GPL"};
	call.attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	call.attr.insn_cnt = 2;
	int64_t program = call_by_program(&call);
	if (program < 0) {
		errno = -program;
		held("load by a program");
	}
	broken("a program from before loads one that returns %d", run_program(program));
}

static void accomplice_links(void)
{
	struct accomplice_call call = {.command = BPF_LINK_CREATE};
	call.attr.link_create.prog_fd = accomplice(OVERRIDE_LOADS);
	call.attr.link_create.target_fd = root_cgroup();
	call.attr.link_create.attach_type = BPF_LSM_CGROUP;
	int64_t link = call_by_program(&call);
	if (link < 0) {
		errno = -link;
		held("BPF_LINK_CREATE by a program");
	}
	end_with_unlisted_load("a program linked one with bpf_set_retval(0)");
}

/* Puts guard_status, which was opened for reading, into a map of maps whose program writes the inner map. */
static void status_in_map(void)
{
	int status = map_of_guard(GUARD_STATUS, BPF_F_RDONLY), program = accomplice(WRITE_INNER);
	uint32_t key = 0;
	union bpf_attr attr = {0};
	if (status < 0)
		held("BPF_MAP_GET_FD_BY_ID with BPF_F_RDONLY");
	if (program < 0)
		held("load of the program");
	attr.map_fd = map_of(program);
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&status;
	if (bpf(BPF_MAP_UPDATE_ELEM, &attr, sizeof attr))
		held("write of the map of maps");
	if (run_program(program) != 1)
		held("run of the program");
	end_with_unlisted_load("a program wrote guard_status through a map of maps");
}

const struct attack accomplice_attacks[] = {
    {"accomplice-loads", accomplice_loads},
    {"accomplice-links", accomplice_links},
    {"status-in-map", status_in_map},
    {0},
};
