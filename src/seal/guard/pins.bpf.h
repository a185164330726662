/* Keeps the guard's links: they die with their pins, and pins with their mount. */
#pragma once

#include "kernel-files.h"
#include "own.bpf.h"

/* BPF_FS_MAGIC of linux/magic.h. */
#define PINS_MAGIC 0xcafe4a11

/*
 * The mount of an open file of the current task, or 0. Only for a task that is trusted: its threads can change its fds.
 */
static __always_inline __u64 mount_of_fd(__u32 fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (fd >= BPF_CORE_READ(table, max_fds) || bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return 0;
	return (__u64)BPF_CORE_READ(file, f_path.mnt);
}

/*
 * Remembers the mount that holds the pins, by an fd of their folder; 0 if the guard has no pins. Returns false if there
 * is a folder whose mount cannot be read.
 */
static __always_inline bool set_pins(__u32 fd)
{
	__u32 first = 0;
	__u64 *pins = bpf_map_lookup_elem(&guard_pins, &first);

	if (!pins)
		return false;
	*pins = fd ? mount_of_fd(fd) : 0;
	return !fd || *pins;
}

/* Whether an address is one of the kernel, and begins a page, as bpf_prog_alloc_no_stats() has it of a program. */
static __always_inline bool may_be_program(__u64 address)
{
	return address >> 56 == 0xff && (address & 0xfff) == 0;
}

/*
 * Whether this is the address of a program: its struct bpf_prog_aux then refers back to it. True also for what may be
 * one and cannot be read.
 */
static __always_inline bool is_program(struct bpf_prog *address)
{
	struct bpf_prog_aux *aux;
	struct bpf_prog *prog;

	if (!may_be_program((__u64)address))
		return false;
	return READ(aux, address, aux) || READ(prog, aux, prog) || prog == address;
}

/*
 * Whether a directory entry is the pin of a link whose program is the guard's. True also if the entry cannot be read,
 * or the maps of the program. The pin can be of a program or a map as well: `prog` is then some other field.
 */
static __always_inline bool is_own_pin(struct dentry *dentry)
{
	struct super_block *system;
	struct bpf_link *link;
	struct bpf_prog *prog;
	struct inode *inode;
	unsigned long magic;

	if (READ(inode, dentry, d_inode))
		return true;
	/* rename(2) has an entry without inode if it replaces nothing */
	if (!inode)
		return false;
	if (READ(system, inode, i_sb) || READ(magic, system, s_magic))
		return true;
	if (magic != PINS_MAGIC)
		return false;
	if (READ(link, inode, i_private) || (link && READ(prog, link, prog)))
		return true;
	return link && is_program(prog) && is_own_program(prog);
}
