import { NEVER_MODULES } from "../guard/never-modules.js";
import type { Machine } from "./machine.js";
import { acrossBoots, secureBoot } from "./secure-boot.js";

/** `missing`: the machine cannot be sealed; `weak`: it can, and the seal is worth less. */
const STATES = ["ok", "weak", "missing"] as const;
export type State = (typeof STATES)[number];

/** One line of `seal doctor`. The remedy is null if nothing is wrong. */
export interface DoctorFinding {
  readonly name: string;
  readonly state: State;
  readonly detail: string;
  readonly remedy: string | null;
}

type Result = Omit<DoctorFinding, "name">;
type Check = (machine: Machine) => Result;

const ok = (detail: string): Result => ({ state: "ok", detail, remedy: null });
const weak = (detail: string, remedy: string): Result => ({ state: "weak", detail, remedy });
const missing = (detail: string, remedy: string): Result => ({ state: "missing", detail, remedy });

/** What files of the kernel say, in the order of the output. */
const CHECKS: Readonly<Record<string, Check>> = {
  BPF_LSM: (machine) => {
    const active = machine.text("sys/kernel/security/lsm");
    if (active === null) return missing("securityfs cannot be read", "mount securityfs at /sys/kernel/security");
    if (active.split(",").includes("bpf")) return ok(`active: ${active}`);
    return missing(`bpf is not active: ${active}`, `boot with lsm=${active},bpf, on a kernel with CONFIG_BPF_LSM`);
  },
  "order of lsm=": (machine) => {
    const [, given] = /(?:^|\s)lsm=(\S*)/.exec(machine.text("proc/cmdline") ?? "") ?? [];
    if (given === undefined) return ok("the kernel's own");
    return given.split(",").includes("bpf")
      ? weak(
          `lsm=${given} on the command line, which must stay as it is`,
          "have the command line in a signed image (UKI)",
        )
      : missing(`lsm=${given} on the command line has no bpf`, `boot with lsm=${given},bpf`);
  },
  BTF: (machine) => {
    return machine.has("sys/kernel/btf/vmlinux")
      ? ok("/sys/kernel/btf/vmlinux")
      : missing("the kernel has no BTF", "use a kernel with CONFIG_DEBUG_INFO_BTF");
  },
  JIT: (machine) => {
    return machine.text("proc/sys/net/core/bpf_jit_enable") === "0"
      ? missing(
          "the kernel interprets BPF programs, and cannot attach LSM programs",
          "set net.core.bpf_jit_enable to 1",
        )
      : ok("programs are compiled");
  },
  "cgroup v2": (machine) => {
    return machine.has("sys/fs/cgroup/cgroup.controllers") || machine.has("sys/fs/cgroup/unified/cgroup.controllers")
      ? ok("mounted")
      : missing("cgroup v2 is not mounted", "boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2");
  },
  ftrace_enabled: (machine) => {
    return machine.text("proc/sys/kernel/ftrace_enabled") === "0"
      ? missing("0: LSM programs are attached, and not called", "set kernel.ftrace_enabled to 1")
      : ok("1");
  },
  lockdown: (machine) => {
    const text = machine.text("sys/kernel/security/lockdown") ?? "";
    const [, level = "none"] = /\[(\w+)\]/.exec(text) ?? [];
    if (level === "integrity") return ok("integrity");
    return level === "confidentiality"
      ? missing(
          "confidentiality: the guard cannot read kernel memory when it is loaded",
          "boot with lockdown=integrity",
        )
      : weak(`${level}: until the guard is there, root can change the kernel`, "boot with lockdown=integrity");
  },
  modules: (machine) => {
    const text = machine.text("proc/modules");
    if (text === null) return weak("/proc/modules cannot be read", "mount procfs at /proc");
    const loaded = new Set(text.split("\n").map((line) => line.split(" ")[0]!));
    const never = NEVER_MODULES.filter(({ name }) => loaded.has(name)).map(({ name }) => name);
    const builtIn = NEVER_MODULES.filter(({ name }) => !loaded.has(name))
      .filter(({ name, parameter }) => machine.isWritable(`sys/module/${name}/parameters/${parameter}`))
      .map(({ name }) => name);
    if (never.length + builtIn.length === 0) return ok("none is there by whose parameters root writes memory");
    const remedies = [
      ...(never.length === 0 ? [] : [`modprobe -r ${never.join(" ")}`]),
      ...(builtIn.length === 0 ? [] : [`boot a kernel that has no ${builtIn.join(", ")} built in`]),
    ];
    const names = [...never, ...builtIn.map((name) => `${name} (built into the kernel)`)].join(", ");
    return weak(`root can write memory by parameters of ${names}`, remedies.join("; "));
  },
  "Secure Boot": ({ root }) => {
    const state = secureBoot(root);
    const detail = acrossBoots(state);
    return state === "on" ? ok(detail) : weak(detail, "enrol keys, and turn Secure Boot on in the firmware");
  },
  UKI: (machine) => {
    return machine.has(`sys/firmware/efi/efivars/StubInfo-${SYSTEMD}`)
      ? ok("kernel, initramfs and command line are one image")
      : weak("initramfs and command line are files that root can change", "build a signed image with ukify");
  },
  hibernation: (machine) => {
    const states = machine.text("sys/power/state") ?? "";
    return states.split(/\s+/).includes("disk")
      ? weak("an image on disk, which root can change, can become the running kernel", "boot with nohibernate")
      : ok("off");
  },
  IOMMU: (machine) => {
    const found = machine.names("sys/class/iommu");
    return found.length > 0
      ? ok(found.join(", "))
      : weak(
          "devices can write to all memory",
          "turn it on in the firmware, and boot with intel_iommu=on or amd_iommu=on",
        );
  },
  kdump: (machine) => {
    return machine.text("sys/kernel/kexec_crash_loaded") === "1"
      ? weak("a crash kernel is loaded: after a crash it runs without the guard", "remove it: kexec -p -u")
      : ok("no crash kernel is loaded");
  },
};

/** The vendor of systemd's EFI variables (systemd-stub(7)). */
const SYSTEMD = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

export function machineFindings(machine: Machine): readonly DoctorFinding[] {
  return Object.entries(CHECKS).map(([name, check]) => ({ name, ...check(machine) }));
}

/** File systems with fs-verity (linux/magic.h): ext4, btrfs, f2fs. */
const WITH_VERITY: ReadonlySet<number> = new Set([0xef53, 0x9123683e, 0xf2f52010]);

/** Whether executables of scopes are on file systems with fs-verity. `patterns` are those of scopes by executable. */
export function verityFindings(machine: Machine, patterns: readonly string[]): readonly DoctorFinding[] {
  return patterns.map((pattern) => {
    const name = `fs-verity of ${pattern}`;
    const path = pattern.replace(/[*?[{].*$/, "").replace(/[^/]*$/, "") || "/";
    const type = machine.fileSystem(path.slice(1));
    if (type === null) return { name, ...missing(`there is no ${path}`, "correct the scope, or create the folder") };
    return WITH_VERITY.has(type)
      ? { name, ...ok(`the file system of ${path} has it`) }
      : { name, ...missing(`the file system of ${path} has none`, "keep these executables on ext4, btrfs or f2fs") };
  });
}

/** Whether the root cgroup has room for the guard's programs. `used` are the hooks that have programs there. */
export function slotFinding(used: number | null, needed: number, slots: number): DoctorFinding {
  const name = "free lsm_cgroup slots";
  if (used === null)
    return { name, ...weak("the root cgroup cannot be asked", "run it as root, on a kernel with CONFIG_BPF_LSM") };
  const free = slots - used;
  return free >= needed
    ? { name, ...ok(`${free} of ${slots}, and the guard takes ${needed}`) }
    : {
        name,
        ...missing(
          `${free} of ${slots}, and the guard takes ${needed}`,
          "detach others: `bpftool cgroup show /sys/fs/cgroup`",
        ),
      };
}

/** `unlisted`: titles of programs that are loaded and not in the list; null without a list. */
export function loadedFinding(loaded: number, unlisted: readonly string[] | null): DoctorFinding {
  const name = "loaded programs";
  if (unlisted === null)
    return { name, ...weak(`${loaded}, and no list to compare them with`, "name a list with --list") };
  if (unlisted.length === 0) return { name, ...ok(`${loaded}, all listed`) };
  const shown = unlisted.slice(0, 5).join(", ");
  const more = unlisted.length > 5 ? ` and ${unlisted.length - 5} more` : "";
  return { name, ...missing(`not listed: ${shown}${more}`, "list them, unload them, or seal with --accept-loaded") };
}

/** Whether each kernel that is installed has a list. `lists` are the releases of the lists; null without a folder. */
export function listFindings(machine: Machine, lists: ReadonlySet<string> | null): readonly DoctorFinding[] {
  const kernels = machine.names("lib/modules").filter((release) => machine.has(`boot/vmlinuz-${release}`));
  if (lists === null) {
    const detail = `${kernels.length} kernels are installed, and no folder of lists is named`;
    return [{ name: "lists", ...weak(detail, "name it with --lists") }];
  }
  return kernels.map((release) => {
    const name = `list for ${release}`;
    return lists.has(release)
      ? { name, ...ok("there") }
      : {
          name,
          ...missing(
            "there is none, so that this kernel would load nothing",
            `countersign seal build --btf /boot/vmlinuz-${release} --modules present`,
          ),
        };
  });
}
