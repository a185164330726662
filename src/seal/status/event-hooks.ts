/** Where the guard denies calls, and what they are about. */
import { NEVER_MODULES } from "../guard/never-modules.js";
import { guardReason } from "./reasons.js";

/** What a call was about, as in the records of the log. */
export type EventKind = "program" | "command" | "map" | "file" | "kernel" | "task";

/** A hook at which the guard denies calls. */
export interface EventHook {
  /** `sysctl` is the attach type BPF_CGROUP_SYSCTL, the others are LSM hooks. */
  readonly name: string;
  readonly kind: EventKind;
}

/** In the order of enum guard_hook of guard/interface.h. */
const KINDS: Readonly<Record<string, EventKind>> = {
  bpf_prog_load: "program",
  bpf_prog: "program",
  bpf: "command",
  bpf_map: "map",
  kernfs_init_security: "file",
  locked_down: "kernel",
  kernel_post_read_file: "file",
  kernel_post_load_data: "file",
  bprm_check_security: "file",
  mmap_file: "file",
  ptrace_access_check: "task",
  task_kill: "task",
  sb_umount: "kernel",
  inode_unlink: "kernel",
  inode_rename: "kernel",
  sysctl: "kernel",
  inode_rmdir: "kernel",
  move_mount: "kernel",
  sb_mount: "kernel",
  sb_pivotroot: "kernel",
};

/** enum guard_hook, by number. */
export const EVENT_HOOKS: ReadonlyMap<number, EventHook> = new Map(
  Object.entries(KINDS).map(([name, kind], index) => [index + 1, { name, kind }]),
);

/** A hook of a newer guard has no row. */
export function eventHook(number: number): EventHook {
  return EVENT_HOOKS.get(number) ?? { name: `hook_${number}`, kind: "kernel" };
}

interface Denial {
  readonly hook: number;
  readonly reason: number;
  readonly detail: readonly [number, number, number];
}

/**
 * What was denied, by its numbers, as struct guard_event of guard/interface.h says for each hook: the guard records no
 * names.
 */
export function denialName({ hook, reason, detail: [first, second, third] }: Denial): string {
  const why = guardReason(reason).name;
  switch (eventHook(hook).kind) {
    case "program":
      return `type ${first}, attach type ${second}, ${third} instructions`;
    case "command":
      return why === "own_hook" ? `command ${first}, attach type ${second}` : `command ${first}`;
    case "file":
      if (why === "executable") return "executable";
      if (why === "never") return `module ${NEVER_MODULES[first - 1]?.name ?? first}`;
      return why === "module" ? `module of ${first} bytes` : `file that the kernel reads, kind ${first}`;
    default:
      return `${first}`;
  }
}
