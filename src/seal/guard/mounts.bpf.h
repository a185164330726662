/*
 * The mounts that hold the guard's pins: the one with their folder, and those below it up to the root of the mount
 * namespace. They are read anew for each call, since mounts can be moved. What cannot be read is taken for one of them.
 */
#pragma once

#include "kernel-files.h"
#include "mount-of-pins.bpf.h"
#include "status.bpf.h"

/* How many mounts are below the one with the pins. */
#define MAX_MOUNTS 16
/* How often mounts are slaves of slaves. */
#define MAX_MASTERS 4
/* How many mounts are peers of each other. */
#define MAX_PEERS 4096

static __always_inline struct mount *mount_of(const struct vfsmount *mount)
{
	return (void *)mount - bpf_core_field_offset(struct mount, mnt);
}

/* The mount with the folder of pins, NULL if the guard has no links. Returns false if that is not known. */
static __always_inline bool read_pins(struct mount **mount)
{
	__u32 first = 0;
	const __u64 *pins = bpf_map_lookup_elem(&guard_pins, &first);

	*mount = pins && *pins ? mount_of((const struct vfsmount *)*pins) : NULL;
	return pins;
}

/*
 * Whether unmounting `target` propagates to `mount`: their parents are peers, or that of `mount` is a slave. True also
 * if one of them cannot be read.
 */
static __always_inline bool propagates_to(struct mount *target, struct mount *mount)
{
	struct dentry *of_target, *of_mount;
	struct mount *above, *on;
	int group, other;

	if (READ(above, target, mnt_parent) || READ(group, above, mnt_group_id) ||
	    READ(of_target, target, mnt_mountpoint) || READ(of_mount, mount, mnt_mountpoint) ||
	    READ(on, mount, mnt_parent))
		return true;
	if (group == 0 || of_target != of_mount)
		return false;
	for (int level = 0; level < MAX_MASTERS && on; level++)
		if (READ(other, on, mnt_group_id) || other == group || READ(on, on, mnt_master))
			return true;
	/* more masters than are looked at */
	return on != NULL;
}

/* Whether a mount is `above`, or on one that is, at whatever level. */
static __always_inline bool is_within(struct mount *mount, const struct mount *above)
{
	for (int level = 0; level < MAX_MOUNTS; level++) {
		struct mount *parent;

		if (mount == above || READ(parent, mount, mnt_parent))
			return true;
		if (parent == mount)
			return false;
		mount = parent;
	}
	return true;
}

/* Whether something is mounted on a mount. */
static __always_inline bool has_mounts(const struct mount *mount)
{
	const void *none = (const void *)mount + bpf_core_field_offset(struct mount, mnt_mounts);
	const struct list_head *first;

	return READ(first, mount, mnt_mounts.next) || first != none;
}

struct peer_search {
	const struct mount *target, *first;
	struct mount *peer;
	bool ended, found;
};

static long find_peer_within(__u32 number, struct peer_search *search)
{
	struct mount *peer = search->peer;
	struct list_head *next;

	search->found = (has_mounts(peer) && is_within(peer, search->target)) || READ(next, peer, mnt_share.next);
	if (search->found)
		return 1;
	search->peer = (void *)next - bpf_core_field_offset(struct mount, mnt_share);
	search->ended = search->peer == search->first;
	return search->ended;
}

/*
 * Whether unmounting the tree of mounts at `target` propagates to what is mounted on the mount `on`: one of its peers,
 * or of its masters' peers, is in the tree, and has mounts of its own (umount_tree() of fs/namespace.c gives all mounts
 * of the tree to propagate_umount()). A global function, which the verifier judges once: addresses are numbers.
 */
__noinline int is_reached_from(__u64 target, __u64 on)
{
	struct mount *mount = (struct mount *)on;
	int group;

	for (int level = 0; level < MAX_MASTERS && mount; level++) {
		struct peer_search search = {
			.target = (const struct mount *)target, .first = mount, .peer = mount,
		};

		if (READ(group, mount, mnt_group_id))
			return 1;
		if (group && (bpf_loop(MAX_PEERS, find_peer_within, &search, 0) < 0 || search.found || !search.ended))
			return 1;
		if (READ(mount, mount, mnt_master))
			return 1;
	}
	return mount != NULL;
}

/*
 * Whether unmounting `mount` takes the pins away: it holds them, or what holds them is mounted below it, or this
 * propagates to such a mount.
 */
static __always_inline bool holds_pins(const struct vfsmount *mount)
{
	struct mount *target = mount_of(mount), *at;

	if (!read_pins(&at))
		return true;
	if (!at)
		return false;
	for (int level = 0; level < MAX_MOUNTS; level++) {
		struct mount *parent;

		if (at == target || propagates_to(target, at) || READ(parent, at, mnt_parent))
			return true;
		if (parent == at)
			return false;
		if (is_reached_from((__u64)target, (__u64)parent))
			return true;
		at = parent;
	}
	/* more mounts than are looked at */
	return true;
}

/*
 * Whether one of the mounts is mounted on this directory entry. If the entry goes, the kernel unmounts what is mounted
 * on it in every mount namespace, and asks no hook about mounts: docs/seal-attacks.md has the callers of detach_mounts().
 */
static __always_inline bool is_mount_point_of_pins(const struct dentry *entry)
{
	struct mount *at;

	if (!read_pins(&at))
		return true;
	if (!at)
		return false;
	for (int level = 0; level < MAX_MOUNTS; level++) {
		struct dentry *mount_point;
		struct mount *parent;

		if (READ(mount_point, at, mnt_mountpoint) || mount_point == entry || READ(parent, at, mnt_parent))
			return true;
		if (parent == at)
			return false;
		at = parent;
	}
	return true;
}

/* Whether the pins are held by this mount or one that is mounted on it. */
static __always_inline bool is_below_pins(const struct vfsmount *mount)
{
	struct mount *at;

	return !read_pins(&at) || (at && is_within(at, mount_of(mount)));
}

/* Whether the current task is in the mount namespace of the pins. True also if one of the two cannot be read. */
static __always_inline bool is_in_namespace_of_pins(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mnt_namespace *of_pins, *of_task;
	struct nsproxy *namespaces;
	struct mount *pins;

	if (!read_pins(&pins))
		return true;
	if (!pins)
		return false;
	return READ(of_pins, pins, mnt_ns) || READ(namespaces, task, nsproxy) ||
	       READ(of_task, namespaces, mnt_ns) || of_task == of_pins;
}
