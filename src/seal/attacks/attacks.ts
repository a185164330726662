import { type Attack, keyring, limit, stopped } from "./attack.js";

const LOADS = "bpf_prog_load";
const AUDIT = { proof: "audit" } as const;
/** BPF_COMMON_ATTRS. */
const FLAGGED = { since: "7.2" } as const;
/** EOPNOTSUPP while BPF programs depend on ftrace. */
const FTRACE = { until: "7.3" } as const;
const GENERIC = { on: "generic" } as const;

/**
 * Attacks of root on a sealed machine. Each row with `proof` has a program in test/system/seal/attacks, which is run on
 * each kernel without a guard, under audit, and sealed: an attack that cannot succeed without the guard proves nothing.
 */
export const ATTACKS: readonly Attack[] = [
  // Loads.
  stopped("plain-load", LOADS, "unlisted", "loads a program that is not listed"),
  stopped("compat-load", LOADS, "unlisted", "loads it through the 32-bit entry of the kernel"),
  stopped("flagged-load", LOADS, "unlisted", "loads it with bit 16 of the command set, which is a flag", FLAGGED),
  stopped("load-from-program", LOADS, "unlisted", "has a BPF program make the load, as light skeletons do"),
  stopped("every-type", LOADS, "unlisted", "loads a program of each type, such as tracing, LSM and netfilter"),
  stopped("struct-ops", LOADS, "unlisted", "loads an operation of struct tcp_congestion_ops"),
  stopped("freplace", LOADS, "unlisted", "replaces a function of a loaded program"),
  stopped("core-relos", LOADS, "core_relos", "has the kernel change the instructions of a listed program"),
  stopped("changed-by-thread", LOADS, "unlisted", "changes the instructions from another thread during the load"),
  stopped("token", "bpf", "token", "loads with a BPF token, in a user namespace to which everything is delegated"),
  stopped("move-to-cgroup", LOADS, "unlisted", "moves to another cgroup, and loads there"),
  stopped("clone-into-cgroup", LOADS, "unlisted", "creates a process in another cgroup, and loads there"),
  stopped(
    "cgroup-of-accomplice",
    LOADS,
    "unlisted",
    "loads in a cgroup that got a program of its own before the guard was attached",
  ),
  stopped("unmount-cgroups", LOADS, "unlisted", "unmounts cgroup2, and loads"),
  stopped("other-namespaces", LOADS, "unlisted", "loads in mount, pid, network and cgroup namespaces of its own"),
  stopped("core-pattern", LOADS, "unlisted", "has the kernel start the load as the helper for core dumps"),
  stopped("modprobe", LOADS, "unlisted", "has the kernel start the load as the helper for modules"),
  stopped("release-agent", LOADS, "unlisted", "has the kernel start the load as the release agent of a cgroup"),
  stopped(
    "reused-place",
    LOADS,
    "unlisted",
    "loads as soon as a program from before the seal is freed, with its id and its memory",
  ),
  stopped(
    "accomplice-loads",
    LOADS,
    "unlisted",
    "has a program of type SYSCALL make the load, which was loaded before the seal",
  ),
  stopped("threaded-cgroup", LOADS, "unlisted", "loads in a thread that is in another cgroup than its process"),
  stopped("migrating-loads", LOADS, "unlisted", "loads while another thread moves the process between cgroups"),
  stopped("parallel-loads", LOADS, "unlisted", "loads in 128 threads at once"),
  stopped("largest-program", LOADS, "unlisted", "loads a program of 1,000,000 instructions, the most there can be"),
  stopped("request-key", LOADS, "unlisted", "has the kernel start the load as the helper for keys (/sbin/request-key)"),
  stopped(
    "security-attributes",
    LOADS,
    "unlisted",
    "sets all attributes of security modules by lsm_set_self_attr and in /proc, unmounts securityfs, and loads",
  ),
  limit(
    "classic-filter",
    "attaches a filter of classic BPF to a socket",
    "The kernel calls no hook for it. Such a filter only decides about the packets of its socket.",
    "unguarded",
  ),
  // The agent.
  stopped("trace-agent", "ptrace_access_check", "agent", "traces the agent by ptrace", AUDIT),
  stopped("fd-of-agent", "ptrace_access_check", "agent", "takes an fd of the agent by pidfd_getfd", AUDIT),
  stopped("memory-of-agent", "ptrace_access_check", "agent", "opens the memory of the agent in /proc", AUDIT),
  stopped("signal-agent", "task_kill", "agent", "stops the agent by a signal", AUDIT),
  stopped(
    "write-agent-memory",
    "ptrace_access_check",
    "agent",
    "writes the memory of the agent by process_vm_writev",
    AUDIT,
  ),
  stopped("queue-signal", "task_kill", "agent", "stops the agent by a pidfd, tgkill, or a queued signal", AUDIT),
  stopped("write-ticket", "bpf", "agent", "writes a ticket for itself, and loads"),
  stopped("claim-agent", "bpf_map", "own_object", "marks itself as the agent, and writes a ticket", AUDIT),
  // Programs of the guard.
  stopped("replace", "bpf", "own_hook", "attaches a program that allows to the root cgroup, with flags 0"),
  stopped(
    "override",
    "bpf",
    "own_hook",
    "attaches a program after the guard's that calls bpf_set_retval(0), as a second guard could",
  ),
  stopped("override-by-link", "bpf", "own_hook", "does the same by a link"),
  stopped("accomplice-links", "bpf", "own_hook", "has a program make that link, which was loaded before the seal"),
  stopped(
    "namespace-root",
    "bpf",
    "own_hook",
    "attaches a program that allows to the root cgroup of a cgroup namespace",
  ),
  stopped("override-sysctl", "bpf", "own_hook", "overrides the verdict about sysctls, and turns ftrace off", FTRACE),
  stopped("detach", "bpf", "own_hook", "detaches a program of the guard by BPF_PROG_DETACH", AUDIT),
  stopped("flagged-detach", "bpf", "own_hook", "does the same with bit 16 of the command", { ...AUDIT, ...FLAGGED }),
  stopped("raise-lockdown", LOADS, "unlisted", "raises lockdown to confidentiality, in which BPF may not read memory"),
  stopped("trace-hooks", LOADS, "unlisted", "loads while a tracer and a kprobe are on the hook"),
  stopped("graph-hooks", LOADS, "unlisted", "loads while the graph tracer and return probes are on all hooks"),
  stopped("probe-guard", LOADS, "unlisted", "puts kprobes on the guard's programs and their trampolines, and loads"),
  stopped(
    "ftrace-off-by-splice",
    "sysctl",
    "sysctl",
    "turns ftrace off by splice, in a mount of proc that is nowhere",
    FTRACE,
  ),
  stopped("ftrace-off-by-worker", "sysctl", "sysctl", "has a worker of io_uring turn ftrace off", FTRACE),
  stopped("ftrace-off", "sysctl", "sysctl", "writes 0 to kernel.ftrace_enabled, on which LSM programs depend", FTRACE),
  stopped("unprivileged-bpf", "sysctl", "sysctl", "allows bpf(2) to every user"),
  stopped("fmod-ret-0", LOADS, "never", "attaches a program of type fmod_ret to security_bpf that returns 0"),
  stopped("fmod-ret-1", LOADS, "never", "one that returns 1, after which the kernel calls no LSM"),
  stopped("fmod-ret-error", LOADS, "never", "one that returns an error"),
  stopped("lsm-on-hooks", LOADS, "never", "loads a program of type LSM for each hook of the guard"),
  stopped(
    "lsm-cgroup-on-hooks",
    LOADS,
    "never",
    "loads a program of type lsm_cgroup for each hook of the guard, as a second guard with another key needs",
  ),
  stopped("program-by-id", "bpf_prog", "own_object", "opens the guard's programs by id", AUDIT),
  stopped("link-by-id", "bpf", "own_object", "opens the guard's links by id", AUDIT),
  stopped("commands", LOADS, "unlisted", "gives the guard all commands that it has, from another process"),
  // Maps of the guard.
  stopped("map-by-id", "bpf_map", "own_object", "opens the guard's maps by id, and writes them", AUDIT),
  stopped("list-by-id", "bpf_map", "own_object", "opens the list by id for reading", AUDIT),
  stopped("constants-by-id", "bpf_map", "own_object", "opens the guard's constants by id for writing", AUDIT),
  stopped("use-status", LOADS, "unlisted", "loads a program with guard_status as its map, and has it write", AUDIT),
  stopped("iterate-status", LOADS, "unlisted", "has an iterator write guard_status, which was opened for reading", {
    ...AUDIT,
    remains:
      "An iterator over map elements that is listed, or was loaded before, can write what guard_status shows until " +
      "the next denial. The guard itself decides by a copy that nobody can open.",
  }),
  stopped(
    "status-in-map",
    LOADS,
    "unlisted",
    "puts guard_status, opened for reading, into a map of maps, and has a program write it",
    AUDIT,
  ),
  // Links of the guard.
  stopped("unlink-pin", "inode_unlink", "mount", "deletes the pin of a link", AUDIT),
  stopped("rename-over-pin", "inode_rename", "mount", "renames another pin over that of a link", AUDIT),
  stopped("exchange-pin", "inode_rename", "mount", "exchanges a pin with one of its own, and deletes it there", AUDIT),
  stopped("unlink-by-clone", "inode_unlink", "mount", "deletes a pin through a copy of its mount (open_tree)", AUDIT),
  stopped("update-link", LOADS, "unlisted", "opens links by their pins, updates and detaches them, and loads", AUDIT),
  stopped("unmount-pins", "sb_umount", "mount", "unmounts the file system with the pins", AUDIT),
  stopped("unmount-above", "sb_umount", "mount", "unmounts the file system that this one is mounted on", AUDIT),
  stopped("unmount-peer", "sb_umount", "mount", "unmounts it in another mount namespace, which propagates", AUDIT),
  stopped("unmount-peer-above", "sb_umount", "mount", "unmounts there what it is mounted on", AUDIT),
  stopped("unmount-bind", "sb_umount", "mount", "unmounts a recursive bind of shared mounts, which propagates", AUDIT),
  stopped("move-mount", "sb_mount", "mount", "moves the file system elsewhere, and unmounts it there", AUDIT),
  stopped("move-pins-by-fd", "move_mount", "mount", "moves it by move_mount(2)", AUDIT),
  stopped("pivot-away", "sb_pivotroot", "mount", "moves a root in its mount namespace by pivot_root(2)", {
    ...AUDIT,
    remains: "pivot_root(2) is denied only after a late seal, and only in the mount namespace of `seal start`.",
  }),
  stopped(
    "remove-mount-point",
    "inode_rmdir",
    "mount",
    "removes the directory on which a mount below it is mounted, in another mount namespace: the kernel then " +
      "unmounts it everywhere",
    {
      ...AUDIT,
      remains:
        "After a late seal: a mount point on a file system that invalidates its entries by itself, such as FUSE or " +
        "NFS. `seal start` warns of it. At boot no directory is the mount point.",
    },
  ),
  stopped(
    "rename-over-mount-point",
    "inode_rename",
    "mount",
    "renames another directory over it, in another mount namespace",
    AUDIT,
  ),
  // The keyring whose signatures allow programs.
  keyring("unlink-keyring", "takes the keyring of signers out of the user keyring that holds it, to have it deleted"),
  keyring("clear-keyring", "empties it"),
  keyring("permit-keyring", "gives itself permissions for it"),
  keyring("chown-keyring", "gives it another owner"),
  keyring("link-keyring", "adds a key to it, or links it to a keyring of its own"),
  keyring("move-keyring", "moves a key into it, or the keyring elsewhere (KEYCTL_MOVE)"),
  keyring("owner-of-keyring", "takes the uid in whose user keyring it is, and reads it"),
  keyring("expire-keyring", "sets a time at which it expires"),
  keyring("clear-user-keyring", "takes that uid, and empties the user keyring"),
  keyring("revoke-keyring", "revokes it"),
  keyring("invalidate-keyring", "invalidates it, for which a process needs only to find it"),
  keyring("invalidate-user-keyring", "takes that uid, and has the kernel make another user keyring"),
  // The kernel.
  stopped("kexec-load", "locked_down", "kernel_change", "loads another kernel by kexec_load"),
  stopped("kexec-file-load", "kernel_post_read_file", "kernel_change", "loads Debian's kernel by kexec_file_load"),
  stopped("unsigned-module", "locked_down", "kernel_change", "loads a module without signature by init_module"),
  stopped("unsigned-module-file", "locked_down", "kernel_change", "loads it by finit_module", {
    remains: "Modules that are signed by a key that the kernel trusts are loaded.",
  }),
  stopped(
    "module-changed-by-thread",
    "locked_down",
    "kernel_change",
    "has another thread take the signature of a module away and put it back while init_module reads it",
  ),
  stopped("compat-kexec", "locked_down", "kernel_change", "loads another kernel by kexec_load of the 32-bit entry"),
  stopped("dev-port", "locked_down", "kernel_change", "writes a port of a device by /dev/port", GENERIC),
  stopped(
    "module-writes-memory",
    "kernfs_init_security",
    "never",
    "writes physical memory by a parameter of a signed module (arc-rimi)",
    GENERIC,
  ),
  stopped(
    "efi-runtime",
    "kernfs_init_security",
    "never",
    "runs code in the kernel: writes it into that of the UEFI firmware by the same module, and reads a variable",
    GENERIC,
  ),
  stopped("dev-mem", "locked_down", "kernel_change", "maps /dev/mem"),
  stopped(
    "kcore",
    "locked_down",
    "kernel_change",
    "reads memory by /proc/kcore: also by another procfs, a bind mount, links, O_PATH and a worker of io_uring",
    {
      remains:
        "One that was opened before a late seal can still be read. Other ways to read memory stay open, since " +
        "tracers need them: arguments of kprobes (tracefs, perf).",
    },
  ),
  stopped("iopl", "locked_down", "kernel_change", "gets the ports of devices by iopl or ioperm"),
  stopped("msr", "locked_down", "kernel_change", "writes a model-specific register"),
  stopped("debugfs", "locked_down", "kernel_change", "writes a file of debugfs"),
  stopped("hibernation", "locked_down", "kernel_change", "opens the image of hibernation, to resume from another one"),
  stopped("resume-device", "locked_down", "kernel_change", "has the kernel resume from a device (/sys/power/resume)"),
  stopped("pci-config", "locked_down", "kernel_change", "writes the configuration of a PCI device"),
  stopped("dma-by-registers", "locked_down", "kernel_change", "has a device write memory, by registers that it maps"),
  stopped("serial-port", "locked_down", "kernel_change", "gives a serial port another address"),
  // What is not stopped.
  limit(
    "link-by-pin",
    "opens a link of the guard by its pin",
    "The fd can neither detach the link nor give it another program: the kernel offers neither for links of tracing " +
      "programs (bpf_tracing_link_lops of kernel/bpf/syscall.c). Pins cannot be removed (`unlink-pin`).",
    "audit",
  ),
  limit(
    "fill-log",
    "causes more denials than the guard keeps",
    "The first 1024 of a boot are kept, and the last 1024. Those between are only counted, by their reasons.",
    "audit",
  ),
  limit(
    "passed-fd",
    "sends the fd of a program that may be loaded to another process, by SCM_RIGHTS",
    "The other process can use the program, also without rights: the kernel asks no BPF hook when an fd is passed.",
    "unguarded",
  ),
  limit(
    "tail-calls",
    "joins programs that may be loaded by tail calls",
    "Any such programs of one type may be joined: no hook knows which program array is written.",
    "unguarded",
  ),
  limit(
    "sha1-signature",
    "has a program whose signature in bpf_attr is made with SHA-1, and of which another one has the same SHA-1",
    "The kernel verifies what bpf_attr has before the hook, SHA-1 included. No key of the signers may sign with " +
      "SHA-1. Where a task brings a signature, and for lists, the guard denies it.",
    { test: "signatures" },
  ),
  limit(
    "attach-elsewhere",
    "attaches a listed program by perf ioctl, netlink or SO_ATTACH_BPF",
    "The kernel calls no BPF hook then. An entry of a list has the target only if it is named at the load.",
    "unguarded",
  ),
  limit(
    "loaded-before",
    "attaches an fmod_ret program that was loaded before a late seal",
    "`seal start` fails if unlisted programs are loaded already, unless it is told to accept them.",
    { test: "commands" },
  ),
  limit(
    "before-the-latch",
    "takes fds of the loader's maps while it seals a running machine",
    "A late seal trusts what root does until its last step. At boot the loader is the only process.",
    { test: null },
  ),
  limit(
    "signal-by-owner",
    "stops the agent by a socket whose owner it is (F_SETOWN, F_SETSIG), or ends it so",
    "The kernel does not call the hook task_kill for it. What needs a ticket waits or is denied.",
    "audit",
  ),
  limit(
    "perf-signal",
    "attaches an event of perf to the agent that sends it SIGTRAP, which ends it (sigtrap)",
    "No hook is called with CAP_PERFMON. What needs a ticket is denied from then on.",
    "audit",
  ),
  limit(
    "kill-agent",
    "ends the agent by cgroup.kill, sysrq or the OOM killer",
    "None of them calls the hook task_kill. What needs a ticket is denied from then on.",
    { test: "agent" },
  ),
  limit(
    "stop-agent",
    "freezes the agent by cgroup.freeze, or limits its memory or processor time by memory.max or prlimit",
    "No hook is called for them. What needs a ticket waits or is denied meanwhile; listed programs load.",
    { test: "agent" },
  ),
  limit(
    "swap-agent",
    "adds swap space, has the memory of the agent written to it, and changes it there",
    "V8 cannot run in locked memory. The files of the agent are in a file system that is never swapped out.",
    { test: null },
  ),
  limit(
    "claim-labels",
    "hands the agent a process of its own as a container, with the labels that a policy allows",
    "The agent takes containers from root. Only what a policy asks of the program holds against root.",
    { test: "agent" },
  ),
  limit(
    "dma",
    "has a device write to memory, through a driver that passes addresses on",
    "Only an IOMMU stops it. Registers and configuration of PCI devices are closed (`dma-by-registers`), which " +
      "uio_pci_generic needs, too. vfio without IOMMU is not built into Debian's kernels (CONFIG_VFIO_NOIOMMU).",
    { test: null },
  ),
  limit(
    "next-boot",
    "changes kernel, initramfs, command line, boot loader or its variables (grub, efivars), and boots again",
    "Only Secure Boot with a signed UKI stops it, and only if the machine's keys have signed no UKI without a seal: " +
      "an entry in the firmware's menu (BootOrder) that root writes starts whatever is signed.",
    { test: "secure-boot" },
  ),
  limit(
    "grub-configuration",
    "changes `rdinit=` in grub.cfg, or the initramfs that grub.cfg names, and boots again",
    "Secure Boot with shim and grub verifies the kernel, and neither grub.cfg nor the initramfs: the machine boots " +
      "unsealed, with Secure Boot too. Only a signed UKI prevents it, on firmware without Microsoft's keys: they " +
      "have signed shim, and root can put shim and grub in the place of the UKI.",
    { test: "grub" },
  ),
  limit(
    "acpi-table",
    "puts an ACPI table into an archive before the initramfs (CONFIG_ACPI_TABLE_UPGRADE), and boots again: its code " +
      "runs in the kernel",
    "The kernel takes the table before the guard is there, and its code changes memory under the guard: no hook is " +
      "called for it. From Linux 6.12 on, `lockdown=integrity` does not stop it either: the kernel asks before its " +
      "lockdown is there. Only Secure Boot with a signed UKI does. Debian's kernels have no interface that takes a " +
      "table later (CONFIG_ACPI_CONFIGFS, custom_method); one would ask hook `locked_down` (ACPI_TABLES).",
    { test: "acpi-tables" },
  ),
];
