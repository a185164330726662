/*
 * BPF_PROG_BIND_MAP adds a map to those that a loaded program uses: an fd of guard_status, for reading only, is enough.
 *
 *   bind-map prepare   before the seal: loads a program, links it to the root cgroup and pins the link
 *   bind-map           binds guard_status to this program and to one that the list has, and prints whether an fd of
 *                      them is still handed out, and whether the pin of the link can be removed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../guard-map.h"

#define PIN "/sys/fs/bpf/linked"
#define LISTED 1

static long call(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(int type, int value)
{
	struct bpf_insn insns[] = {
	    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = value},
	    {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {.prog_type = type, .insn_cnt = 2, .insns = (uintptr_t)insns, .license = (uintptr_t)"GPL"};
	return call(BPF_PROG_LOAD, &attr);
}

static int pinned_link(void)
{
	union bpf_attr attr = {.pathname = (uintptr_t)PIN};
	return call(BPF_OBJ_GET, &attr);
}

static int prepare(void)
{
	union bpf_attr attr = {0};
	attr.link_create.prog_fd = load(BPF_PROG_TYPE_CGROUP_SKB, 1);
	attr.link_create.target_fd = open("/sys/fs/cgroup", O_RDONLY);
	attr.link_create.attach_type = BPF_CGROUP_INET_EGRESS;
	int link = call(BPF_LINK_CREATE, &attr);
	union bpf_attr pin = {.pathname = (uintptr_t)PIN, .bpf_fd = link};
	if (link < 0 || call(BPF_OBJ_PIN, &pin) != 0) {
		perror("bind-map prepare");
		return 1;
	}
	return 0;
}

static int program_by_id(uint32_t id)
{
	union bpf_attr attr = {.prog_id = id};
	return call(BPF_PROG_GET_FD_BY_ID, &attr);
}

/* The first members of struct bpf_prog_info and struct bpf_link_info. */
static void read_info(int fd, uint32_t *info, uint32_t size)
{
	union bpf_attr attr = {0};
	memset(info, 0, size);
	attr.info.bpf_fd = fd;
	attr.info.info_len = size;
	attr.info.info = (uintptr_t)info;
	call(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

/* Whether the map is bound, and an fd of the program handed out afterwards. */
static void bind(const char *name, int program, uint32_t id)
{
	union bpf_attr attr = {0};
	attr.prog_bind_map.prog_fd = program;
	attr.prog_bind_map.map_fd = open_guard_map(GUARD_STATUS, BPF_F_RDONLY);
	int bound = call(BPF_PROG_BIND_MAP, &attr);
	printf("%s: %s, ", name, bound == 0 ? "bound" : strerrorname_np(errno));
	printf("%s\n", program_by_id(id) >= 0 ? "handed out" : strerrorname_np(errno));
}

int main(int argc, char **argv)
{
	uint32_t info[8];
	(void)argv;
	if (argc > 1)
		return prepare();
	int listed = load(BPF_PROG_TYPE_SOCKET_FILTER, LISTED);
	read_info(listed, info, sizeof(info));
	bind("map bound to a listed program", listed, info[1]);
	read_info(pinned_link(), info, sizeof(info));
	uint32_t linked = info[2];
	bind("map bound to a program from before the seal", program_by_id(linked), linked);
	printf("pin of its link: %s\n", unlink(PIN) == 0 ? "removed" : strerrorname_np(errno));
	return 0;
}
