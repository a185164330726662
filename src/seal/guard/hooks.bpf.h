/* The LSM hooks that the guard uses: nobody else may attach LSM programs there. See hooks.ts. */
#pragma once

#define GUARD_HOOKS(HOOK)                                                                                              \
	HOOK(bpf)                                                                                                      \
	HOOK(bpf_prog_load)                                                                                            \
	HOOK(bpf_prog)                                                                                                 \
	HOOK(bpf_map)                                                                                                  \
	HOOK(kernfs_init_security)                                                                                     \
	HOOK(locked_down)                                                                                              \
	HOOK(ptrace_access_check)                                                                                      \
	HOOK(kernel_post_read_file)                                                                                    \
	HOOK(kernel_post_load_data)                                                                                    \
	HOOK(bprm_check_security)                                                                                      \
	HOOK(sb_umount)                                                                                                \
	HOOK(sb_mount)                                                                                                 \
	HOOK(sb_pivotroot)                                                                                             \
	HOOK(move_mount)                                                                                               \
	HOOK(inode_rmdir)                                                                                              \
	HOOK(inode_unlink)                                                                                             \
	HOOK(inode_rename)                                                                                             \
	HOOK(task_kill)                                                                                                \
	HOOK(mmap_file)
