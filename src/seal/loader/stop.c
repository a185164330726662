#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <dirent.h>

#include <linux/types.h>

#include "../guard/interface.h"
#include "bpf.h"
#include "files.h"
#include "keyring.h"
#include "seal.h"

#define LATE_PINS "/sys/fs/bpf/countersign"

static int get_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = size;
	attr.info.info = address(info);
	return (int)bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

static int open_by_id(int command, uint32_t id, uint32_t flags)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_id = id;
	attr.open_flags = flags;
	return (int)bpf_call(command, &attr, sizeof(attr));
}

/* Opens a map by its id, for reading, if it is an array of this name. Returns its fd, or -1. */
static int open_array(uint32_t id, const char *name, struct bpf_map_info *info)
{
	int fd = open_by_id(BPF_MAP_GET_FD_BY_ID, id, BPF_F_RDONLY);
	if (fd < 0)
		return -1;
	memset(info, 0, sizeof(*info));
	if (get_info(fd, info, sizeof(*info)) == 0 && strcmp(info->name, name) == 0 && info->type == BPF_MAP_TYPE_ARRAY)
		return fd;
	close(fd);
	return -1;
}

/* Finds a map of the guard by what it is called. Returns its fd, for reading only, or -1. */
static int find_map(const char *name, uint32_t size, uint32_t *id)
{
	for (uint32_t at = next_id(BPF_MAP_GET_NEXT_ID, 0); at != 0; at = next_id(BPF_MAP_GET_NEXT_ID, at)) {
		struct bpf_map_info info;
		int fd = open_array(at, name, &info);
		if (fd >= 0 && info.value_size == size) {
			*id = at;
			return fd;
		}
		if (fd >= 0)
			close(fd);
	}
	return -1;
}

int find_status(uint32_t *id)
{
	return find_map(GUARD_STATUS, sizeof(struct guard_status), id);
}

/* The most bytes that the guard_status of any version has. */
#define MAX_STATUS 4096

/*
 * The version of the guard that is in force; 0 if there is none. In each version it is the first member of guard_status.
 * The guard records each of its other maps that is looked at, so a status of another size is looked for last.
 */
static uint32_t version_in_force(void)
{
	static uint32_t value[MAX_STATUS / sizeof(uint32_t)];
	struct bpf_map_info info;
	uint32_t id, version = 0;
	int fd = find_status(&id);
	for (uint32_t at = fd >= 0 ? 0 : next_id(BPF_MAP_GET_NEXT_ID, 0); at != 0 && fd < 0;
	     at = next_id(BPF_MAP_GET_NEXT_ID, at)) {
		fd = open_array(at, GUARD_STATUS, &info);
		if (fd >= 0 && (info.value_size < sizeof(uint32_t) || info.value_size > MAX_STATUS)) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		return 0;
	if (read_element(fd, 0, value) == 0)
		version = value[0];
	close(fd);
	return version;
}

int check_version(struct failure *failure)
{
	char detail[96];
	uint32_t version = version_in_force();
	errno = 0;
	if (version == 0 || version == GUARD_VERSION)
		return 0;
	snprintf(detail, sizeof(detail), "a guard of version %u is in force, and this loader is of version %u", version,
	         GUARD_VERSION);
	return fail(failure, STEP_VERSION, "guard", detail);
}

/* Reads the ids of the programs of a guard that is not sealed. */
static int read_programs(int fd, struct guard_programs *programs)
{
	int result = read_element(fd, 0, programs);
	close(fd);
	return result;
}

static int is_own(const struct guard_programs *programs, uint32_t id)
{
	for (uint32_t i = 0; i < GUARD_MAX_PROGRAMS; i++)
		if (programs->ids[i] == id)
			return 1;
	return 0;
}

/* Detaches the guard's programs of one attach type from the root cgroup. */
static int detach_type(int cgroup, uint32_t type, const struct guard_programs *own, struct failure *failure)
{
	uint32_t programs[64] = {0}, flags[64] = {0};
	union bpf_attr attr;
	int count = 0;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)cgroup;
	attr.query.attach_type = type;
	attr.query.prog_ids = address(programs);
	/* Of BPF_LSM_CGROUP the kernel lists ids only with these (__cgroup_bpf_query of kernel/bpf/cgroup.c). */
	if (type == BPF_LSM_CGROUP)
		attr.query.prog_attach_flags = address(flags);
	attr.query.prog_cnt = sizeof(programs) / sizeof(*programs);
	if (bpf_call(BPF_PROG_QUERY, &attr, sizeof(attr)) != 0)
		return fail(failure, STEP_RUNNING, "root of cgroup2", "its programs cannot be listed");
	for (uint32_t i = 0, found = attr.query.prog_cnt; i < found; i++) {
		int fd = is_own(own, programs[i]) ? open_by_id(BPF_PROG_GET_FD_BY_ID, programs[i], 0) : -1;
		if (fd < 0)
			continue;
		memset(&attr, 0, sizeof(attr));
		attr.target_fd = (uint32_t)cgroup;
		attr.attach_bpf_fd = (uint32_t)fd;
		attr.attach_type = type;
		if (bpf_call(BPF_PROG_DETACH, &attr, sizeof(attr)) != 0)
			return fail(failure, STEP_RUNNING, "guard", "one of its programs cannot be detached");
		count++;
		close(fd);
	}
	return count;
}

static void remove_pins(void)
{
	DIR *folder = opendir(LATE_PINS);
	for (struct dirent *entry = folder == NULL ? NULL : readdir(folder); entry != NULL; entry = readdir(folder)) {
		char path[300];
		snprintf(path, sizeof(path), LATE_PINS "/%s", entry->d_name);
		unlink(path);
	}
	if (folder != NULL)
		closedir(folder);
	rmdir(LATE_PINS);
}

int stop_guard(struct failure *failure)
{
	struct guard_status status;
	struct guard_programs programs;
	uint32_t id;
	if (check_version(failure) != 0)
		return -1;
	int fd = find_status(&id);
	errno = 0;
	if (fd < 0)
		return fail(failure, STEP_STOP, "guard", "there is none");
	if (read_element(fd, 0, &status) != 0 || (status.state & GUARD_SEALED)) {
		errno = 0;
		return fail(failure, STEP_RUNNING, "guard", "it is sealed and cannot be stopped before the next boot");
	}
	/* The kernel frees the maps of a guard that was stopped one after the other: its status can be there for longer. */
	int own = find_map(GUARD_PROGRAMS, sizeof(programs), &id);
	errno = 0;
	if (own < 0)
		return fail(failure, STEP_STOP, "guard", "there is none");
	if (read_programs(own, &programs) != 0)
		return fail(failure, STEP_RUNNING, "map guard_programs", "cannot be read");
	int cgroup = open_file_system("cgroup2");
	if (cgroup < 0)
		return fail(failure, STEP_CGROUP, "root of cgroup2", "cannot be opened");
	int hooks = detach_type(cgroup, BPF_LSM_CGROUP, &programs, failure);
	int sysctls = hooks < 0 ? -1 : detach_type(cgroup, BPF_CGROUP_SYSCTL, &programs, failure);
	close(cgroup);
	close(fd);
	if (sysctls < 0)
		return -1;
	remove_pins();
	remove_rings();
	return hooks + sysctls;
}
