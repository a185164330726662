/** What the fd of a map lets its holder do: read, write, or both. */
export const MAP_ACCESS = ["r", "w", "rw"] as const;
export type MapAccess = (typeof MAP_ACCESS)[number];
/** Why the kernel reads a file. */
export const FILE_PURPOSES = ["exec", "module"] as const;
export type FilePurpose = (typeof FILE_PURPOSES)[number];

/** A kind of subjects. */
interface SubjectRow {
  /** The interface in types/countersign.d.ts, and the one that it extends. */
  readonly declared: string;
  readonly base?: string;
  /** What a policy usually calls the argument. */
  readonly argument: string;
}

/**
 * The kinds of subjects. Facts of programs are in bpf/model/program-fields.ts, those of commands in
 * bpf/model/command-fields.ts, others in subject-fields.ts. Every subject has a `digest` (SHA-256 of the judged bytes
 * in lower-case hex) and a `name` for people.
 */
export const SUBJECT_KINDS = {
  program: { declared: "Program", argument: "prog" },
  map: {
    declared: "BpfMap",
    base: "MapFacts",
    argument: "map",
  },
  command: { declared: "Command", argument: "command" },
  token: {
    declared: "Token",
    argument: "token",
  },
  file: {
    declared: "File",
    argument: "file",
  },
  blob: {
    declared: "Blob",
    argument: "blob",
  },
} as const satisfies Readonly<Record<string, SubjectRow>>;

export type SubjectKind = keyof typeof SUBJECT_KINDS;

/**
 * The hooks: the points at which a policy decision is made. Names are those of the kernel's LSM hooks where the kernel
 * has one (include/linux/lsm_hook_defs.h). `served` says which backends evaluate policies at the hook:
 *
 * - `offline`: `countersign check`, for a file;
 * - `gate`: `countersign run` and `countersign agent`, which enforce the verdict for their tasks;
 * - `sealed`: the guard in the kernel, for the whole machine, by a list that the policies made.
 *
 * Programs that embed the engine can ask for a decision at any hook.
 */
export const HOOKS = {
  bpf_prog_load: {
    subject: "program",
    isPartOfLoad: true,
    when: "a program is about to be loaded, before the kernel's verifier",
    served: { offline: true, gate: true, sealed: true },
  },
  bpf_prog: {
    subject: "program",
    isPartOfLoad: true,
    when: "a verified program's fd is about to be handed out",
    served: { offline: true, gate: true, sealed: true },
  },
  bpf_map_create: {
    subject: "map",
    isPartOfLoad: true,
    when: "a map is about to be created",
    served: { offline: true, gate: true, sealed: false },
  },
  bpf_map: {
    subject: "map",
    isPartOfLoad: true,
    when: "a map's fd is about to be handed out",
    served: { offline: true, gate: true, sealed: false },
  },
  bpf: {
    subject: "command",
    isPartOfLoad: true,
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
    served: { offline: true, gate: false, sealed: true },
  },
  kernel_read_file: {
    subject: "file",
    purpose: "module",
    when: "the kernel is about to read a kernel module",
    served: { offline: true, gate: true, sealed: true },
  },
  blob_verify: {
    subject: "blob",
    isInKernel: false,
    when: "a program asks whether a blob may be used; no kernel has this hook",
    served: { offline: true, gate: false, sealed: false },
  },
} as const satisfies Record<string, HookRow>;

export interface HookRow {
  readonly subject: SubjectKind;
  /** Whether a gate asks it while a loader loads an object, so that `check` asks it about an object file. */
  readonly isPartOfLoad?: true;
  /** For files: why the kernel reads the file, which is a fact of the subject; `exec` if absent. */
  readonly purpose?: Exclude<FilePurpose, "exec">;
  /** False for a hook that the kernel does not have, so that nothing is left unenforced where no gate serves it. */
  readonly isInKernel?: boolean;
  /** For the documentation: a clause without a full stop. */
  readonly when: string;
  readonly served: Readonly<Record<Backend, boolean>>;
}

/** The backends that can evaluate policies at a hook. */
export const BACKENDS = ["offline", "gate", "sealed"] as const;
export type Backend = (typeof BACKENDS)[number];

export type HookName = keyof typeof HOOKS;

export const HOOK_NAMES = Object.keys(HOOKS) as readonly HookName[];

/** The hooks that a gate asks while a loader loads an object. */
export const LOAD_HOOKS: readonly HookName[] = HOOK_NAMES.filter((name) => hookRow(name).isPartOfLoad);

/**
 * The values of a hook's `default`, which applies if no enforcing attachment answers. `audit` allows and records an
 * audit denial.
 */
export const HOOK_DEFAULTS = ["allow", "deny", "audit"] as const;
export type HookDefault = (typeof HOOK_DEFAULTS)[number];

export function hookRow(name: HookName): HookRow {
  return HOOKS[name];
}

/** Whether the kernel has this hook and the live gate never evaluates policies at it. */
export function isUnenforcedByGate(hook: HookName): boolean {
  const { served, isInKernel = true } = hookRow(hook);
  return isInKernel && !served.gate;
}
