/* The kernel's types for files and mounts, as far as the guard reads them; see kernel.h. */
#pragma once

#include "kernel.h"

/* Of fmode_t, include/linux/fs.h. */
#define FMODE_WRITE 2

/* Of include/uapi/linux/mount.h. */
#define MS_MOVE 8192

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mm_struct {
	struct file *exe_file;
};

struct linux_binprm {
	struct file *file;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	struct super_block *i_sb;
	void *i_private;
};

struct dentry {
	struct inode *d_inode;
};

struct vfsmount {
	struct super_block *mnt_sb;
};

struct list_head {
	struct list_head *next;
};

struct mnt_namespace;

struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct mount *mnt_master;
	struct mnt_namespace *mnt_ns;
	/* Children, and the ring of peers. */
	struct list_head mnt_mounts;
	struct list_head mnt_share;
	int mnt_group_id;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct kernfs_node {
	const char *name;
};

struct bpf_link {
	struct bpf_prog *prog;
};

#pragma clang attribute pop
