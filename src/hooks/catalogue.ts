/**
 * The hooks: where a decision can be asked for, named as the kernel's LSM hooks where the kernel has one
 * (include/linux/lsm_hook_defs.h).
 */
export const HOOKS = {
  bpf_prog_load: { subject: "program", when: "a program is about to be loaded, before the kernel's verifier" },
  bpf_prog: { subject: "program", when: "a verified program's fd is about to be handed out" },
  bpf_map_create: { subject: "map", when: "a map is about to be created" },
  bpf_map: { subject: "map", when: "a map's fd is about to be handed out" },
  bpf: { subject: "command", when: "any bpf(2) command" },
  bpf_token_create: { subject: "token", when: "a BPF token is about to be created" },
  bprm_check_security: { subject: "file", when: "a file is about to be executed" },
  kernel_read_file: { subject: "file", when: "the kernel is about to read a file, such as a module" },
  blob_verify: { subject: "blob", when: "somebody asks whether a blob may be used; no kernel has this hook" },
} as const satisfies Record<string, { subject: SubjectKind; when: string }>;

export type SubjectKind = "program" | "map" | "command" | "token" | "file" | "blob";
export type HookName = keyof typeof HOOKS;

export const HOOK_NAMES = Object.keys(HOOKS) as readonly HookName[];

export function isHookName(name: string): name is HookName {
  return Object.hasOwn(HOOKS, name);
}
