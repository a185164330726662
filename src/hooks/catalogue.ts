/**
 * The hooks: the points at which a policy decision is made. Names are those of the kernel's LSM hooks where the kernel
 * has one (include/linux/lsm_hook_defs.h). `served` says which backends evaluate policies at the hook:
 *
 * - `offline`: `countersign check`, for a file;
 * - `gate`: `countersign run` and `countersign agent`, which enforce the verdict for their tasks;
 * - `sealed`: the kernel, for the whole machine. No backend does so yet.
 *
 * Programs that embed the engine can ask for a decision at any hook.
 */
export const HOOKS = {
  bpf_prog_load: {
    subject: "program",
    when: "a program is about to be loaded, before the kernel's verifier",
    served: { offline: true, gate: true, sealed: false },
  },
  bpf_prog: {
    subject: "program",
    when: "a verified program's fd is about to be handed out",
    served: { offline: true, gate: true, sealed: false },
  },
  bpf_map_create: {
    subject: "map",
    when: "a map is about to be created",
    served: { offline: true, gate: true, sealed: false },
  },
  bpf_map: {
    subject: "map",
    when: "a map's fd is about to be handed out",
    served: { offline: true, gate: true, sealed: false },
  },
  bpf: {
    subject: "command",
    when: "any bpf(2) command",
    served: { offline: true, gate: true, sealed: false },
  },
  bpf_token_create: {
    subject: "token",
    when: "a BPF token is about to be created",
    served: { offline: false, gate: true, sealed: false },
  },
  bprm_check_security: {
    subject: "file",
    when: "a file is about to be executed",
    served: { offline: true, gate: false, sealed: false },
  },
  kernel_read_file: {
    subject: "file",
    when: "the kernel is about to read a kernel module",
    served: { offline: true, gate: true, sealed: false },
  },
  blob_verify: {
    subject: "blob",
    when: "a program asks whether a blob may be used; no kernel has this hook",
    served: { offline: true, gate: false, sealed: false },
  },
} as const satisfies Record<string, HookRow>;

interface HookRow {
  readonly subject: SubjectKind;
  readonly when: string;
  readonly served: Readonly<Record<Backend, boolean>>;
}

/** The backends that can evaluate policies at a hook. */
export const BACKENDS = ["offline", "gate", "sealed"] as const;
export type Backend = (typeof BACKENDS)[number];

export type SubjectKind = "program" | "map" | "command" | "token" | "file" | "blob";
export type HookName = keyof typeof HOOKS;

export const HOOK_NAMES = Object.keys(HOOKS) as readonly HookName[];

/**
 * The values of a hook's `default`, which applies if no enforcing attachment answers. `audit` allows and records an
 * audit denial.
 */
export const HOOK_DEFAULTS = ["allow", "deny", "audit"] as const;
export type HookDefault = (typeof HOOK_DEFAULTS)[number];

export function isHookName(name: string): name is HookName {
  return Object.hasOwn(HOOKS, name);
}

/**
 * Whether the kernel has this hook and the live gate never evaluates policies at it. False for `blob_verify`, which the
 * kernel does not have: nothing is left unenforced there.
 */
export function isUnenforcedByGate(hook: HookName): boolean {
  return !HOOKS[hook].served.gate && hook !== "blob_verify";
}
