import type { HookName } from "../../hooks/catalogue.js";

/**
 * How a rule stays in force under the guard:
 *
 * - `list`: the guard compares each load with a list that `seal build` made by asking the policies;
 * - `signature`: the kernel verifies a signature by a kernel keyring;
 * - `ticket`: the agent asks the policies at each load, so that without an agent the load is denied;
 * - `class`: the guard admits what is of a class, and does not ask the policies;
 * - `mask`: the guard denies more than the rule does, and asks nobody;
 * - `none`: there is no rule;
 * - `cannot be sealed`: the guard would allow what the rule denies.
 */
const MEANS = ["list", "signature", "ticket", "class", "mask", "none", "cannot be sealed"] as const;
export type Means = (typeof MEANS)[number];

/** What the guard does at a hook that has a rule: its means, why, and what is denied without an agent. */
export interface HookMeans {
  readonly means: Means;
  readonly reason: string;
  readonly denied: string;
}

/**
 * A rule is an enforcing attachment or a default that denies. Loads of programs have a list (struct list_entry of
 * guard/interface.h), and files another one (struct file_digest).
 */
export const HOOK_MEANS: Readonly<Record<HookName, HookMeans>> = {
  bpf_prog_load: {
    means: "list",
    reason: "the guard looks up the digest, type, attach target and flags of each program",
    denied: "programs that are not in the list",
  },
  bpf_prog: {
    means: "list",
    reason: "the guard compares the maps of each program when its fd is returned",
    denied: "programs with other maps than their entry in the list",
  },
  bpf_map_create: {
    means: "cannot be sealed",
    reason: "the guard compares the maps of programs, and lets every map be created",
    denied: "nothing",
  },
  bpf_map: {
    means: "cannot be sealed",
    reason: "the guard protects its own maps, and lets every other map be opened",
    denied: "nothing",
  },
  bpf: {
    means: "cannot be sealed",
    reason: "the guard denies only those commands that would undo it",
    denied: "nothing",
  },
  bpf_token_create: {
    means: "mask",
    reason: "the guard denies every BPF token",
    denied: "every token, also those that a policy allows",
  },
  bprm_check_security: {
    means: "list",
    reason: "the guard compares the fs-verity digest of each file that is executed, or mapped to be executed",
    denied: "executables and libraries that are not in the list of files, or have no fs-verity",
  },
  kernel_read_file: {
    means: "list",
    reason: "the guard compares the SHA-256 of each kernel module that the kernel reads",
    denied: "modules that are not in the list of files",
  },
  blob_verify: {
    means: "cannot be sealed",
    reason: "no kernel has this hook",
    denied: "nothing",
  },
};

export const PROGRAM_HOOKS: readonly HookName[] = ["bpf_prog_load", "bpf_prog"];
/** Hooks whose rules a list of files carries (seal/files.ts). */
export const FILE_HOOKS: readonly HookName[] = ["kernel_read_file", "bprm_check_security"];
