/* The guard's links, by their pins. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"
#include "bpf.h"

/* Exchanges a pin with one of root, and deletes it under the other name. */
static void exchange_pin(void)
{
	char path[300], other[300];
	snprintf(other, sizeof other, "%s/attack-exchange", pins(path, sizeof path));
	uint32_t before = count_links();
	union bpf_attr attr = {0};
	attr.pathname = (uintptr_t)other;
	attr.bpf_fd = create_map(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	if (bpf(BPF_OBJ_PIN, &attr, sizeof attr))
		held("BPF_OBJ_PIN");
	int failed = syscall(SYS_renameat2, AT_FDCWD, other, AT_FDCWD, path, 2 /* RENAME_EXCHANGE */);
	int error = errno;
	failed |= unlink(other);
	errno = error;
	if (failed)
		held("renameat2 with RENAME_EXCHANGE");
	/* the next attack on pins would take it for one of the guard */
	unlink(path);
	end_with_links(before, "exchanged a pin");
}

/* Deletes a pin through a copy of its mount that is nowhere. */
static void unlink_by_clone(void)
{
	char path[300];
	const char *folder = pins(path, sizeof path);
	uint32_t before = count_links();
	int copy = syscall(SYS_open_tree, AT_FDCWD, folder, 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC);
	if (copy < 0)
		held("open_tree");
	if (unlinkat(copy, strrchr(path, '/') + 1, 0))
		held("unlinkat");
	close(copy);
	end_with_links(before, "unlinked a pin");
}

/* A link opens by its pin: it is given another program, or detached. */
static void update_link(void)
{
	char path[300];
	const char *folder = pins(path, sizeof path);
	int other = accomplice(ALLOW_LOADS);
	DIR *entries = opendir(folder);
	struct dirent *entry;
	while (entries && (entry = readdir(entries))) {
		union bpf_attr attr = {0};
		snprintf(path, sizeof path, "%s/%.200s", folder, entry->d_name);
		attr.pathname = (uintptr_t)path;
		int link = bpf(BPF_OBJ_GET, &attr, sizeof attr);
		if (link < 0)
			continue;
		memset(&attr, 0, sizeof attr);
		attr.link_update.link_fd = link;
		attr.link_update.new_prog_fd = other;
		if (bpf(BPF_LINK_UPDATE, &attr, sizeof attr) == 0)
			broken("gave a link of the guard another program");
		memset(&attr, 0, sizeof attr);
		attr.link_detach.link_fd = link;
		if (bpf(BPF_LINK_DETACH, &attr, sizeof attr) == 0)
			broken("detached a link of the guard");
		close(link);
	}
	closedir(entries);
	end_with_unlisted_load("updated and detached links");
}

const struct attack link_attacks[] = {
    {"exchange-pin", exchange_pin},
    {"unlink-by-clone", unlink_by_clone},
    {"update-link", update_link},
    {0},
};
