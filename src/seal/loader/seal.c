#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>

#include "../guard/interface.h"
#include "agent.h"
#include "bpf.h"
#include "cover.h"
#include "files.h"
#include "keyring.h"
#include "sha256.h"

static int check_start(const struct request *request, struct failure *failure)
{
	errno = 0;
	if (geteuid() != 0)
		return fail(failure, STEP_START, "user", "is not root");
	if (request->late && !in_first_namespaces())
		return fail(failure, STEP_START, "namespaces", "the process is in a container, or /proc is not mounted");
	return 0;
}

/* A guard under audit can be replaced, one that is sealed cannot. `audits`: whether there is one under audit. */
static int check_running(int *audits, struct failure *failure)
{
	struct guard_status status;
	uint32_t id;
	if (check_version(failure) != 0)
		return -1;
	int fd = find_status(&id);
	*audits = fd >= 0;
	if (fd < 0)
		return 0;
	int known = read_element(fd, 0, &status) == 0;
	close(fd);
	errno = 0;
	if (!known)
		return fail(failure, STEP_RUNNING, "guard", "the status of the guard that is in force cannot be read");
	if (status.state & GUARD_SEALED)
		return fail(failure, STEP_RUNNING, "guard", "a guard is sealed since the machine started");
	return 0;
}

/* Ids in a list are those of one kernel's BTF: on another one they would allow other programs. */
static int check_list(const struct image *image, const struct kernel_btf *kernel, struct loaded *loaded,
                      struct failure *failure)
{
	static const uint8_t any[SHA256_SIZE];
	sha256(kernel->bytes, kernel->size, loaded->kernel_btf);
	errno = 0;
	if (memcmp(image->header->kernel_btf, any, sizeof(any)) == 0 ||
	    memcmp(image->header->kernel_btf, loaded->kernel_btf, sizeof(any)) == 0)
		return 0;
	return fail(failure, STEP_LIST, "list", "was built for another kernel");
}

/* Reads the beginning of a file of a kernel file system. Returns its length, or -1. */
static int read_setting(const char *type, const char *path, char *text, size_t room)
{
	int root = open_file_system(type);
	int fd = root < 0 ? -1 : openat(root, path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, room - 1);
	close(root);
	close(fd);
	if (length >= 0)
		text[length] = 0;
	return (int)length;
}

static int has_name(const char *list, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = list; at != NULL; at = strchr(at, ','), at = at == NULL ? NULL : at + 1)
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\n' || at[length] == 0))
			return 1;
	return 0;
}

/*
 * Names what turns LSM programs off, before anything is attached: to attach and detach programs while ftrace is off
 * leaves the kernel unable to attach any (ENODEV on 6.12). The canary finds all else.
 */
static int check_enforced(struct failure *failure)
{
	char text[512];
	if (read_setting("proc", "sys/kernel/ftrace_enabled", text, sizeof(text)) > 0 && text[0] != '1') {
		errno = 0;
		return fail(failure, STEP_ENFORCED, "kernel.ftrace_enabled", "is 0: the kernel would not run LSM programs");
	}
	if (read_setting("securityfs", "lsm", text, sizeof(text)) > 0 && !has_name(text, "bpf")) {
		errno = 0;
		return fail(failure, STEP_ENFORCED, "lsm=", "has no bpf: the kernel would not run LSM programs");
	}
	return 0;
}

static int read_kernel(struct kernel_btf *kernel, struct failure *failure)
{
	int sys = open_file_system("sysfs");
	int fd = sys < 0 ? -1 : openat(sys, "kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read_kernel_btf(kernel, fd) != 0)
		return fail(failure, STEP_KERNEL, "/sys/kernel/btf/vmlinux", "cannot be read");
	close(fd);
	close(sys);
	return 0;
}

static uint64_t denials(const struct guard_status *status)
{
	uint64_t sum = 0;
	for (int i = 0; i < GUARD_REASONS; i++)
		sum += status->denied[i];
	return sum;
}

/* A load that must be denied: without it, a kernel that does not call the guard is not told from one that does. */
static int check_canary(const struct image *image, const struct loaded *loaded, struct failure *failure)
{
	struct guard_status before, after;
	int map = loaded->maps[image->header->status_map];
	if (read_element(map, 0, &before) != 0)
		return fail(failure, STEP_CANARY, "map guard_status", "cannot be read");
	int canary = load_canary();
	int error = errno;
	if (canary >= 0)
		close(canary);
	if (read_element(map, 0, &after) != 0)
		return fail(failure, STEP_CANARY, "map guard_status", "cannot be read");
	errno = canary >= 0 ? 0 : error;
	if (denials(&after) == denials(&before))
		return fail(failure, STEP_CANARY, "canary program",
		            "the kernel does not call the guard: check that `lsm=` has bpf and that kernel.ftrace_enabled is 1");
	if (image->header->mode == GUARD_MODE_ENFORCE && (canary >= 0 || error != EPERM))
		return fail(failure, STEP_CANARY, "canary program", "the guard counted a denial, and the program was loaded");
	return 0;
}

static int write_status(const struct request *request, const struct image *image, const struct loaded *loaded,
                        struct failure *failure)
{
	struct guard_status status;
	memcpy(&status, image->bytes + image->header->status.offset, sizeof(status));
	status.version = GUARD_VERSION;
	status.mode = image->header->mode;
	status.state = request->late ? GUARD_LATE : 0;
	status.list_ring = loaded->rings[RING_LISTS];
	status.program_ring = loaded->rings[RING_PROGRAMS];
	if (write_element(loaded->maps[image->header->status_map], 0, &status) == 0)
		return 0;
	return fail(failure, STEP_MAP, "map guard_status", "cannot be filled");
}

/* Ids that were given until now belong to the guard, or to programs that were there before. */
static int write_last_ids(const struct image *image, const struct loaded *loaded, struct failure *failure)
{
	struct guard_status status;
	int map = loaded->maps[image->header->status_map];
	if (read_element(map, 0, &status) == 0) {
		status.last_prog_id = last_id(BPF_PROG_GET_NEXT_ID);
		status.last_map_id = last_id(BPF_MAP_GET_NEXT_ID);
		status.last_link_id = last_id(BPF_LINK_GET_NEXT_ID);
		if (write_element(map, 0, &status) == 0)
			return 0;
	}
	return fail(failure, STEP_LATCH, "map guard_status", "cannot be written");
}

/* Gives the guard GUARD_COMMAND_CHECK or GUARD_COMMAND_SEAL, with the fd of the folder of pins, or 0. */
static int give_command(int command, int pins, struct failure *failure)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)pins;
	if (bpf_call(command, &attr, sizeof(attr)) == -1 && errno == EALREADY)
		return 0;
	return fail(failure, STEP_LATCH, "guard", "did not accept to be sealed");
}

/*
 * Locked keyrings stay until the machine stops. So everything because of which the guard could refuse the latch is
 * checked before they are locked. The guard keeps the mount of the folder of pins, if there is one.
 */
static int latch(struct loaded *loaded, struct failure *failure)
{
	int pins = loaded->covered;
	if (pins < 0)
		pins = loaded->pins[0] == 0 ? 0 : open(loaded->pins, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pins < 0)
		return fail(failure, STEP_LATCH, "folder of pins", "cannot be opened");
	int result = -1;
	if (give_command(GUARD_COMMAND_CHECK, pins, failure) == 0 && lock_rings(loaded, failure) == 0)
		result = give_command(GUARD_COMMAND_SEAL, pins, failure);
	if (pins > 0 && pins != loaded->covered)
		close(pins);
	return result;
}

static uint32_t id_of(int fd)
{
	struct bpf_map_info info;
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	memset(&info, 0, sizeof(info));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = address(&info);
	/* The id is the second field of struct bpf_map_info and of struct bpf_prog_info. */
	return bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) == 0 ? info.id : 0;
}

struct ids {
	uint32_t status;
	/* Of the programs in the order of the image. */
	struct guard_programs own;
};

_Static_assert(MAX_PROGRAMS <= GUARD_MAX_PROGRAMS, "guard_programs has room for each program of an image");

/* Also tells the guard which programs are its own. */
static int read_ids(const struct image *image, const struct loaded *loaded, struct ids *ids, struct failure *failure)
{
	memset(ids, 0, sizeof(*ids));
	ids->status = id_of(loaded->maps[image->header->status_map]);
	for (uint32_t i = 0; i < image->program_count; i++)
		ids->own.ids[i] = id_of(loaded->programs[i]);
	if (write_element(map_named(image, loaded, GUARD_PROGRAMS), 0, &ids->own) == 0)
		return 0;
	return fail(failure, STEP_MAP, "map guard_programs", "cannot be filled");
}

static int is_own(const struct image *image, const struct ids *ids, uint32_t id)
{
	for (uint32_t i = 0; i < image->program_count; i++)
		if (ids->own.ids[i] == id)
			return 1;
	return 0;
}

static int is_among(const char *list, uint32_t id)
{
	for (const char *at = list; *at != 0;) {
		char *end;
		if (strtoul(at, &end, 10) == id && end != at)
			return 1;
		at = *end == ',' ? end + 1 : end + strlen(end);
	}
	return 0;
}

/* Nobody can load an unlisted program any more, so what the caller saw is compared with what is there. */
static int check_loaded(const struct request *request, const struct image *image, const struct ids *ids,
                        struct failure *failure)
{
	if (request->loaded == NULL)
		return 0;
	for (uint32_t at = next_id(BPF_PROG_GET_NEXT_ID, 0); at != 0; at = next_id(BPF_PROG_GET_NEXT_ID, at)) {
		char place[32];
		if (is_own(image, ids, at) || is_among(request->loaded, at))
			continue;
		snprintf(place, sizeof(place), "program %u", at);
		errno = 0;
		return fail(failure, STEP_LOADED, place, "was loaded before the guard was attached");
	}
	return 0;
}

static void print_sealed(const struct image *image, const struct ids *ids)
{
	int enforce = image->header->mode == GUARD_MODE_ENFORCE;
	printf("{\"sealed\":%s,\"mode\":\"%s\",\"version\":%d,\"status_map\":%u,\"programs\":[", enforce ? "true" : "false",
	       enforce ? "enforce" : "audit", GUARD_VERSION, ids->status);
	for (uint32_t i = 0; i < image->program_count; i++) {
		printf("%s{\"name\":", i == 0 ? "" : ",");
		print_json_string(image->programs[i].name);
		printf(",\"section\":");
		print_json_string(image->programs[i].section);
		printf(",\"id\":%u}", ids->own.ids[i]);
	}
	printf("]}\n");
	fflush(stdout);
}

static int has_links(const struct image *image)
{
	for (uint32_t i = 0; i < image->program_count; i++)
		if (image->programs[i].attach == ATTACH_LINK)
			return 1;
	return 0;
}

static int attach(const struct request *request, const struct image *image, struct loaded *loaded,
                  struct failure *failure)
{
	loaded->cgroup = open_file_system("cgroup2");
	if (loaded->cgroup < 0)
		return fail(failure, STEP_CGROUP, "root of cgroup2", "cannot be opened");
	if (has_links(image) && make_pins(loaded, request->late) != 0)
		return fail(failure, STEP_PINS, "folder of pins", "cannot be made");
	return attach_guard(image, loaded, failure);
}

/* A late seal pins in a file system that others use as well. */
static int cover(const struct request *request, const struct image *image, struct loaded *loaded,
                 struct failure *failure)
{
	return request->late || !has_links(image) ? 0 : cover_pins(loaded, failure);
}

int seal(const struct request *request, struct failure *failure)
{
	struct image image;
	struct loaded loaded;
	struct kernel_btf kernel;
	struct ids ids;
	int audits;
	init_loaded(&loaded);
	if (check_start(request, failure) != 0 || open_image(&image, request->image, request->size, failure) != 0 ||
	    check_running(&audits, failure) != 0 || check_enforced(failure) != 0 ||
	    read_kernel(&kernel, failure) != 0 || check_list(&image, &kernel, &loaded, failure) != 0)
		return -1;
	/*
	 * After every check that needs no new guard, so that a wrong image leaves the old one in force. Maps of a guard that
	 * was stopped just before are freed in the background: one that was found above can be gone here.
	 */
	if (audits && stop_guard(failure) < 0 && failure->step != STEP_STOP)
		return -1;
	int audit = image.header->mode == GUARD_MODE_AUDIT;
	int done = make_rings(&image, &loaded, failure) == 0 &&
	           load_guard(&image, &kernel, &loaded, &request->options, failure) == 0 &&
	           write_status(request, &image, &loaded, failure) == 0 &&
	           read_ids(&image, &loaded, &ids, failure) == 0;
	free_kernel_btf(&kernel);
	done = done && attach(request, &image, &loaded, failure) == 0 &&
	       check_loaded(request, &image, &ids, failure) == 0 && check_canary(&image, &loaded, failure) == 0 &&
	       (request->agent == 0 || mark_agent(&image, &loaded, request->agent, failure) == 0) &&
	       write_last_ids(&image, &loaded, failure) == 0 &&
	       (audit || cover(request, &image, &loaded, failure) == 0) &&
	       (audit || latch(&loaded, failure) == 0);
	if (!done) {
		uncover_pins(&loaded);
		undo(&image, &loaded);
		undo_pins(&loaded);
		undo_rings(&loaded);
		close(loaded.cgroup);
		return -1;
	}
	if (request->late)
		print_sealed(&image, &ids);
	return 0;
}
