import { BYTES, type FactFields, hex, orNull, TEXT } from "../fact-type.js";

/** A kind of subjects. Its facts are those of `base` and of `fields`; without both, they are in a file of their own. */
interface SubjectRow {
  /** The interface in types/countersign.d.ts, and the one that it extends. */
  readonly declared: string;
  readonly base?: string;
  /** What a policy usually calls the argument. */
  readonly argument: string;
  readonly fields?: FactFields;
}

/**
 * The kinds of subjects. Facts of programs are in bpf/model/program-fields.ts, those of commands in
 * bpf/model/command-fields.ts. Every subject has a `digest` (SHA-256 of the judged bytes in lower-case hex) and a
 * `name` for people.
 */
export const SUBJECT_KINDS = {
  program: { declared: "Program", argument: "prog" },
  map: {
    declared: "BpfMap",
    base: "MapFacts",
    argument: "map",
    fields: {
      digest: { type: TEXT, doc: "SHA-256 of its definition in lower-case hex: the same offline and in a gate." },
      access: {
        type: orNull(TEXT),
        doc: "The access that the fd gives: `r`, `w` or `rw`; null while the map is being created.",
      },
    },
  },
  command: { declared: "Command", argument: "command" },
  token: {
    declared: "Token",
    argument: "token",
    fields: { name: { type: TEXT, doc: "" }, digest: { type: TEXT, doc: "" } },
  },
  file: {
    declared: "File",
    argument: "file",
    fields: {
      path: {
        type: orNull(TEXT),
        unknown: "for a module's file that a gate does not find in its own mount namespace, or that is deleted",
        doc: "Null for a module that does not come from a file: init_module(2), or a memfd.",
      },
      name: {
        type: orNull(TEXT),
        doc:
          "The last part of the path. Of a module in a gate the name that the kernel lists it by; null if the module " +
          "is compressed, or has none.",
      },
      sha256: { type: hex(32), doc: "SHA-256 of the whole file in lower-case hex." },
      digest: { type: TEXT, doc: "The same as `sha256`." },
      data: { type: BYTES, doc: "" },
      signature: { type: orNull(BYTES), doc: "Detached signature over `data`." },
      purpose: { type: TEXT, doc: "Why the kernel reads the file: `exec` or `module`." },
      parameters: {
        type: orNull(TEXT),
        unknown: "for a module outside of a gate, where nobody loads it",
        doc: "Parameters of a kernel module; null for any other file.",
      },
    },
  },
  blob: {
    declared: "Blob",
    argument: "blob",
    fields: {
      name: { type: TEXT, doc: "" },
      digest: { type: TEXT, doc: "SHA-256 of `data` in lower-case hex." },
      data: { type: BYTES, doc: "" },
      signature: { type: orNull(BYTES), doc: "Detached signature over `data`." },
    },
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
  readonly purpose?: "module";
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
