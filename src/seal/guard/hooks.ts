/**
 * The hook budget of the guard: what each of its programs hangs on, why, and what is lost with it.
 *
 * An `lsm_cgroup` program that BPF_PROG_ATTACH puts on the root cgroup has no link, pin or fd. It stays until the
 * machine stops, even if cgroup2 is unmounted. The kernel has CGROUP_LSM_NUM = 10 slots for hooks with such programs
 * (include/linux/bpf-cgroup-defs.h), for the whole machine, and such programs cannot sleep. Everything else is a link,
 * which dies with its last pin.
 *
 * So a hook belongs on the root cgroup if root could load an unlisted program, run other code in the kernel, or act as
 * the agent without it. A link may only protect links, delay a loss of service, or give permission beyond the list.
 */
export interface GuardHook {
  /** The LSM hook, as in include/linux/lsm_hook_defs.h; `sysctl` is the attach type BPF_CGROUP_SYSCTL. */
  readonly hook: string;
  readonly attach: "root cgroup" | "link";
  /** Whether the program of a link may sleep (`lsm.s`). */
  readonly sleepable?: true;
  readonly why: string;
  /** What no longer holds if the program is gone. On the root cgroup this would need a fault of the kernel. */
  readonly lost: string;
}

/** CGROUP_LSM_NUM of include/linux/bpf-cgroup-defs.h. */
export const CGROUP_LSM_SLOTS = 10;

/**
 * BPF_F_ALLOW_MULTI: the flag with which the guard's programs are put on the root cgroup. Measured on 6.12, 6.18, 7.2
 * and 7.3: with flags 0, a cgroup that already had a program of its own does not run the root's
 * (compute_effective_progs of kernel/bpf/cgroup.c), so its tasks are not guarded at all; another attach with flags 0
 * replaces the guard's program, and BPF_PROG_DETACH needs no program. With this flag the root's programs run everywhere
 * and last, an attach with flags 0 is EPERM, and a detach needs an fd of the guard's program. What remains is a second
 * program on the root cgroup that calls bpf_set_retval(0): hook `bpf` denies the attach, and hook `bpf_prog_load` the
 * program.
 */
export const ROOT_ATTACH_FLAGS = 2;

export const GUARD_HOOKS: readonly GuardHook[] = [
  {
    hook: "bpf",
    attach: "root cgroup",
    why:
      "Denies that programs of the guard's attach types, lsm_cgroup and cgroup/sysctl, are attached to any cgroup or " +
      "detached. Takes the guard's commands. BPF_MAP_CREATE and BPF_TOKEN_CREATE need no hook of their own, since " +
      "this one sees their attr.",
    lost: "The guard's programs could be detached or overridden.",
  },
  {
    hook: "bpf_prog_load",
    attach: "root cgroup",
    why: "Decides about each program by its instructions.",
    lost: "Every program could be loaded.",
  },
  {
    hook: "bpf_prog",
    attach: "root cgroup",
    why:
      "Decides about each program by its maps, when the first fd of it is handed out, and hands out none of the " +
      "guard's programs.",
    lost: "A listed program could be loaded with other maps, and the guard's programs could be detached.",
  },
  {
    hook: "bpf_map",
    attach: "root cgroup",
    why: "Hands out no fd of the guard's maps, by id, pin or otherwise; those of the status only for reading.",
    lost: "Root could write the list.",
  },
  {
    hook: "kernfs_init_security",
    attach: "root cgroup",
    why:
      "Denies modules by whose parameters root writes memory, when the kernel makes their folder in /sys/module: " +
      "only there it shows the name of a module that it decompressed.",
    lost: "Root could write memory by a signed module, and undo the seal.",
  },
  {
    hook: "locked_down",
    attach: "root cgroup",
    why: "Denies what changes the kernel from outside: kexec, unsigned modules, /dev/mem, MSRs; and /proc/kcore.",
    lost: "Root could run its own code in the kernel.",
  },
  {
    hook: "ptrace_access_check",
    attach: "root cgroup",
    why: "Keeps memory and fds of the agent from all other processes.",
    lost: "Root could act as the agent, whose tickets load programs.",
  },
  {
    hook: "kernel_post_read_file",
    attach: "root cgroup",
    why:
      "Denies images for kexec_file_load: hook `locked_down` is not asked about one that a trusted key signed. " +
      "Compares modules of files by their digest.",
    lost: "A signed kernel could be started with any initramfs, and unlisted modules loaded.",
  },
  {
    hook: "kernel_post_load_data",
    attach: "root cgroup",
    why: "Compares modules by their digest where init_module passes them. Those of files are read at the hook above.",
    lost: "Every module could be loaded that is signed by a key of the kernel.",
  },
  {
    hook: "bprm_check_security",
    attach: "root cgroup",
    why: "Compares executables by fs-verity, for which the helper needs no sleepable program.",
    lost: "Executables that are not listed could be started.",
  },
  {
    hook: "sysctl",
    attach: "root cgroup",
    why: "Denies writes of sysctls that turn BPF programs off. It takes none of the ten slots, and needs no ftrace.",
    lost: "kernel.ftrace_enabled=0 turns the guard off on kernels before 7.3.",
  },
  {
    hook: "sb_umount",
    attach: "link",
    why: "Keeps the file system mounted in which links are pinned, this one included.",
    lost: "The links; never the denial of a load.",
  },
  {
    hook: "bpf",
    attach: "link",
    sleepable: true,
    why:
      "Copies a new list from user memory, has the kernel verify its signature, " +
      "and that of a program that a task brings, " +
      "for which it has to sleep. The program on the root cgroup cannot.",
    lost: "No list can be replaced any more, and no program is allowed by its signature.",
  },
  {
    hook: "inode_rmdir",
    attach: "link",
    why:
      "Keeps the directories that this file system, and those below it, are mounted on: the kernel unmounts what is " +
      "mounted on a directory that another mount namespace removes.",
    lost: "The links; never the denial of a load.",
  },
  {
    hook: "move_mount",
    attach: "link",
    why: "Keeps these mounts where no other way unmounts them.",
    lost: "The links; never the denial of a load.",
  },
  {
    hook: "sb_mount",
    attach: "link",
    why: "The same for mount(2) with MS_MOVE, after a late seal and in the mount namespace of the pins.",
    lost: "The links; never the denial of a load.",
  },
  {
    hook: "sb_pivotroot",
    attach: "link",
    why: "The same for pivot_root(2), which moves the root.",
    lost: "The links; never the denial of a load.",
  },
  {
    hook: "inode_unlink",
    attach: "link",
    why: "Keeps the pins of links, and mount points as above.",
    lost: "The links; never the denial of a load.",
  },
  {
    hook: "inode_rename",
    attach: "link",
    why: "Keeps the pins of links from being replaced, and mount points as above.",
    lost: "The links; never the denial of a load.",
  },
  {
    hook: "task_kill",
    attach: "link",
    why: "Keeps the agent alive. cgroup.kill and the kernel's OOM killer do not ask this hook.",
    lost: "Root could end the agent. What needs a ticket is then denied until the machine starts again.",
  },
  {
    hook: "mmap_file",
    attach: "link",
    why: "Compares libraries and other executable mappings as bprm_check_security does executables.",
    lost: "The guard denies executables only when they start.",
  },
];

/** Hooks that the guard uses on the root cgroup. Each needs a slot, and no one else can have it for such programs. */
export const ROOT_LSM_HOOKS: readonly string[] = GUARD_HOOKS.filter(
  ({ hook, attach }) => attach === "root cgroup" && hook !== "sysctl",
).map(({ hook }) => hook);
