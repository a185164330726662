/**
 * Attacks of root that need more than a sealed machine and a program: a configuration with rules about files, the agent
 * of an initramfs, or tools of others. Each is tried by a system test of its own, which requires that the named cases
 * are denied.
 */
export interface RuleAttack {
  readonly name: string;
  readonly does: string;
  /** What stops it: a hook of the guard, or a check of the kernel in words. */
  readonly by: string;
  /** The test that tries it: test/system/seal/NAME.test.ts. */
  readonly test:
    | "executables"
    | "modules"
    | "never-modules"
    | "modules-by-ticket"
    | "agent"
    | "load-paths"
    | "pins"
    | "secure-boot"
    | "grub"
    | "systemd-run";
  /** What the test calls it. */
  readonly cases: readonly string[];
  /** What remains possible; null if nothing is known. */
  readonly remains: string | null;
}

type Row = Omit<RuleAttack, "test" | "remains"> & { readonly remains?: string };

const EXEC = "`bprm_check_security`";
const READ = "`kernel_post_read_file`";

const EXECUTABLES: readonly Row[] = [
  {
    name: "unlisted-executable",
    does: "executes a file that is not listed, before and after init",
    by: EXEC,
    cases: ["unlisted", "unlisted, before the root"],
  },
  {
    name: "copied-executable",
    does: "copies a listed file: to a folder without fs-verity, to a tmpfs, into a memfd",
    by: EXEC,
    cases: ["copy without fs-verity", "copy in memory", "copy in memory, before the root", "memfd"],
  },
  {
    name: "unlisted-library",
    does: "maps a file that is not listed with PROT_EXEC, as libraries and ld.so are",
    by: "`mmap_file`",
    cases: ["unlisted, mapped", "unlisted, mapped before the root", "file of FUSE, mapped"],
    remains:
      "Memory that is no file, or was mapped for reading, can be made executable. Without the link of `mmap_file`, " +
      "which needs its file system to be unmounted, libraries are not compared.",
  },
  {
    name: "initramfs-executable",
    does: "executes a file that was left in the initramfs, after init has started",
    by: EXEC,
    cases: ["initramfs, after the root"],
    remains: "Until init starts, everything in the initramfs can be executed.",
  },
  {
    name: "script",
    does: "executes a script that is not listed, whose interpreter is",
    by: EXEC,
    cases: ["script that is not listed"],
    remains: "A listed interpreter reads any script that is named to it: `sh FILE`.",
  },
  {
    name: "binfmt-misc",
    does: "has binfmt_misc run a listed file by an interpreter that is not listed, also one that it opened before",
    by: EXEC,
    cases: ["interpreter of binfmt_misc", "interpreter that binfmt_misc opened before"],
    remains: "A listed interpreter can be registered for any file that is listed.",
  },
  {
    name: "overlay-executable",
    does: "executes a listed file through overlayfs",
    by: EXEC,
    cases: ["listed, on overlayfs"],
  },
  {
    name: "fuse-executable",
    does: "executes a file of FUSE, whose contents are others each time it is opened",
    by: EXEC,
    cases: ["file of FUSE"],
  },
  {
    name: "write-below-executable",
    does: "writes to the block device below a listed file",
    by: "fs-verity, when the kernel reads the changed block",
    cases: ["changed on its device"],
  },
  {
    name: "swap-below-executable",
    does: "gives the device mapper a table in which a block of a listed file is that of another file",
    by: "fs-verity, when the kernel reads the other block",
    cases: ["swapped on its device"],
  },
];

const MODULES: readonly Row[] = [
  {
    name: "unlisted-module",
    does: "loads a module that a trusted key signed and that is not listed, by finit_module, compressed too",
    by: READ,
    cases: ["unlisted, by its file", "unlisted, compressed"],
  },
  {
    name: "unlisted-module-from-memory",
    does: "loads it by init_module",
    by: "`kernel_post_load_data`",
    cases: ["unlisted, from memory"],
  },
  {
    name: "changed-module",
    does: "changes a byte of a listed module",
    by: READ,
    cases: ["a byte changed, by its file", "a byte changed, from memory", "a byte changed, compressed"],
  },
  {
    name: "listed-unsigned-module",
    does: "loads a listed module that no key signed",
    by: "`locked_down`",
    cases: ["listed, and not signed"],
  },
  {
    name: "fuse-module",
    does: "loads a module of FUSE whose contents are those of a listed one until the kernel reads it",
    by: READ,
    cases: ["other contents when the kernel reads it"],
  },
];

const NEVER_MODULES: readonly Row[] = [
  {
    name: "module-parameter",
    does:
      "loads a module of the distribution by whose parameter root writes memory, such as arc-rimi, listed or not: by " +
      "init_module, finit_module, and compressed",
    by: "`kernfs_init_security`",
    cases: ["init", "finit", "compressed"],
    remains:
      "Modules that are not in [the table](#modules-that-are-always-denied), and those that were loaded before a " +
      "late seal. Drivers that take addresses by ioctl or sysfs were not reviewed.",
  },
];

const MODULES_BY_TICKET: readonly Row[] = [
  {
    name: "module-without-ticket",
    does:
      "loads a module itself that the agent loads for its containers (`--modules by-ticket`), and has the kernel " +
      "start the load as the helper for modules",
    by: READ,
    cases: ["root, by its file", "root, from memory", "root, compressed", "requested by the kernel"],
  },
  {
    name: "module-of-container",
    does: "loads another module, or other parameters, in a container of the agent than its policies allow",
    by: "the agent, whose policies deny it",
    cases: [
      ...["parameters that the policy denies", "denied by the policy", "denied by the policy, from memory"],
      ...["allowed, and not signed", "no policy in its scope"],
    ],
    remains:
      "Root can hand the agent a process as a container with any label. After the load root can write those " +
      "parameters that are writable in /sys/module.",
  },
  {
    name: "changed-parameters",
    does: "changes the parameters in memory after the agent's policies allowed them, while the module is loaded",
    by: "the agent, which gives the kernel its own copy",
    cases: ["parameters changed meanwhile"],
  },
  {
    name: "never-by-ticket",
    does: "loads a module that is always denied in a container of the agent, whose policies allow it",
    by: "`kernfs_init_security`",
    cases: ["always denied"],
  },
];

const AGENT: readonly Row[] = [
  {
    name: "environment-of-agent",
    does: "gives init NODE_OPTIONS and LD_PRELOAD on the command line, so that the agent starts with them",
    by: "the loader, which gives the agent an environment of its own",
    cases: ["listening"],
  },
  {
    name: "files-of-agent",
    does: "opens its executable and its files by /proc, by its mount namespace, and in every mount namespace there is",
    by: "`ptrace_access_check`, and the root of the agent, which is in no mount namespace",
    cases: ["executable", "file", "mount namespace", "namespaces of the pidfd", "mount namespaces"],
  },
  {
    name: "uprobe-on-agent",
    does: "writes a uprobe on a file of the agent",
    by: "`ptrace_access_check`",
    cases: ["uprobe"],
  },
];

const LOAD_PATHS: readonly Row[] = [
  {
    name: "bpftool",
    does: "loads a program that is not listed by bpftool",
    by: "`bpf_prog_load`",
    cases: ["bpftool, unlisted"],
  },
  {
    name: "light-skeleton",
    does: "loads it by `bpftool -L`, whose own program makes the load",
    by: "`bpf_prog_load`, of the program that makes the load, too",
    cases: ["bpftool -L, listed", "bpftool -L, unlisted"],
  },
  {
    name: "bind-map",
    does:
      "gives a program that is allowed the map guard_status (BPF_PROG_BIND_MAP), so that it counts as the guard's: " +
      "no fd of it would be handed out any more, and the pin of its link could not be removed",
    by: "the guard, which knows its programs by the ids that the loader wrote",
    cases: ["map bound to a listed program", "map bound to a program from before the seal"],
  },
];

const PINS: readonly Row[] = [
  {
    name: "find-pins",
    does:
      "looks for the pins of a machine that its initramfs sealed, and for a directory whose removal unmounts them: " +
      "by `..`, setns(2), kernel threads, other namespaces, and by unmounting, moving and binding the root, on a " +
      "machine that stays in the initramfs, and after each way to leave it",
    by: "a mount over them that the kernel locks (MNT_LOCKED), and their mount point, which is no directory",
    cases: [
      ...["parent of the root", "mount namespace of the first process", "root of a kernel thread"],
      "mount namespaces of all processes",
      ...["directories of the root, elsewhere", "root, unmounted elsewhere", "root, unmounted in a user namespace"],
      ...["mount beneath the root", "recursive bind of the root", "parent of the root, moved", "root, moved"],
      "root, unmounted",
    ],
    remains: "Without user namespaces in the kernel, the mount over the pins is not locked, which the loader says.",
  },
];

const SYSTEMD: readonly Row[] = [
  {
    name: "systemd-run",
    does:
      "asks systemd by D-Bus, from a service or a container with a rule for its cgroup, to start the load in another " +
      "cgroup, or to move the process there; also as another user, by AttachProcessesToUnit, for which polkit is not " +
      "asked",
    by: "`bpf_prog_load`",
    cases: [
      "systemd-run",
      "systemd-run --scope",
      "AttachProcessesToUnit",
      "AttachProcessesToUnit, unit of the user",
      "socket in /proc/1/root",
    ],
    remains:
      "Listed programs load in every cgroup. A rule for one cgroup (an `lsm_cgroup` program), one command " +
      "(`run`) or one container (an agent) does not hold for a process that systemd starts elsewhere. Block root " +
      "inside the cgroup from reaching systemd and other cgroups ([how](seal.md#rules-for-one-cgroup)).",
  },
];

const FIRMWARE = "Secure Boot: the firmware starts only a UKI that its key signed";

const SECURE_BOOT: readonly Row[] = [
  {
    name: "changed-initramfs",
    does: "changes the initramfs in the UKI, on the disk of the boot loader, and boots again",
    by: FIRMWARE,
    cases: ["boot-initramfs"],
  },
  {
    name: "changed-command-line",
    does: "changes `rdinit=` in the command line of the UKI, so that the machine is not sealed",
    by: FIRMWARE,
    cases: ["boot-command-line"],
  },
  {
    name: "other-uki",
    does: "puts another UKI in its place, which is signed with another key",
    by: FIRMWARE,
    cases: ["boot-other-uki"],
  },
  {
    name: "entry-of-other-uki",
    does: "writes a Boot#### and BootOrder to the variables of the firmware, for a UKI that is signed with another key",
    by: `${FIRMWARE}; it passes over the entry`,
    cases: ["entry-of-other-uki"],
    remains: "The firmware takes the entry. It starts a UKI without a seal that the machine's key signed.",
  },
  {
    name: "certificate-of-root",
    does: "writes a certificate of its own to the variables db and dbx, signed with its key",
    by: "the firmware, which takes only what its KEK signed (EACCES)",
    cases: ["db", "dbx"],
    remains: "Without enrolled keys (PK), the firmware takes both.",
  },
];

const GRUB: readonly Row[] = [
  {
    name: "kernel-of-grub",
    does: "changes the kernel that grub.cfg names, so that it is not what Debian's key signed",
    by: "Secure Boot: grub has shim verify the kernel",
    cases: ["kernel that grub.cfg names"],
    remains: "Without Secure Boot, grub starts every kernel.",
  },
];

const rows = (test: RuleAttack["test"], given: readonly Row[]): readonly RuleAttack[] =>
  given.map(({ remains = null, ...row }) => ({ ...row, test, remains }));

export const RULE_ATTACKS: readonly RuleAttack[] = [
  ...rows("executables", EXECUTABLES),
  ...rows("modules", MODULES),
  ...rows("never-modules", NEVER_MODULES),
  ...rows("modules-by-ticket", MODULES_BY_TICKET),
  ...rows("agent", AGENT),
  ...rows("load-paths", LOAD_PATHS),
  ...rows("pins", PINS),
  ...rows("secure-boot", SECURE_BOOT),
  ...rows("grub", GRUB),
  ...rows("systemd-run", SYSTEMD),
];

/** The cases of a test that have to be denied. */
export function casesOf(test: RuleAttack["test"]): readonly string[] {
  return RULE_ATTACKS.flatMap((attack) => (attack.test === test ? attack.cases : []));
}
