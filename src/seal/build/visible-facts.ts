import type { ProgramFactName } from "../../bpf/model/program-fields.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { FileSubject } from "../../hooks/subject.js";
import { FILE_HOOKS } from "../plan/means.js";

/**
 * The facts about a program that the guard does not compare, and why; null for a fact that is the same for every load
 * with the same entry of the list. A verdict that depends on one of the others holds only for the load that was judged.
 */
const HIDDEN: Readonly<Record<ProgramFactName, string | null>> = {
  name: "the loader chooses the name",
  section: "a load does not say its section",
  type: null,
  expected_attach_type: null,
  // Facts of a file that a load does not have are among those that a decision names as `offlineOnly`
  attach_to: null,
  license: "the guard sees only whether the licence is compatible with the GPL",
  gpl_compatible: null,
  insn_cnt: null,
  insns: null,
  raw_insns: "they have the fds of the load",
  digest: null,
  tag: null,
  helpers: null,
  kfuncs: null,
  maps: null,
  effects: null,
  evidence: null,
  signature: null,
  statements: "the guard does not compare with statements",
  mismatches: "the guard does not compare with statements",
  kernel_signature: "the loader chooses the signature",
  kernel_keyring: "the loader chooses the keyring",
  object: "a load has no object file",
  loaded: "the kernel's report comes after the verdict",
  // The guard denies relocations by the kernel
  rewritten: null,
};

/** As HIDDEN, of files: the guard compares a digest of their contents. */
const HIDDEN_OF_FILES: Readonly<Record<keyof FileSubject, string | null>> = {
  path: "the guard does not see where the file is",
  name: "the guard does not see the file's name",
  digest: null,
  sha256: null,
  data: null,
  // Of the same contents
  signature: null,
  purpose: null,
  parameters: "the guard does not compare parameters of modules",
};

/** Why the guard cannot see a fact, by its path, such as `effects.read_only` or `maps.name`; null if it can. */
export function whyHidden(hook: HookName, path: string): string | null {
  if (FILE_HOOKS.includes(hook)) return HIDDEN_OF_FILES[path.split(".")[0] as keyof FileSubject];
  if (path === "maps.name") return "the loader chooses the names of maps";
  return HIDDEN[path.split(".")[0] as ProgramFactName];
}

/** Facts that can change with the values that a loader gives to variables, since constants decide branches. */
const BY_VARIABLES: readonly string[] = ["effects", "maps.contents"];
/** Facts that can change with the sizes of maps that a loader chooses. */
const BY_SIZES: readonly string[] = [
  ...["maps.key_size", "maps.value_size", "maps.max_entries", "maps.memory", "maps.memory_per_cpu"],
];

/** Facts that can change with the maps that a loader puts into a map of maps. */
const BY_INNER_MAPS: readonly string[] = ["effects", "maps.inner", "maps.memory", "maps.memory_per_cpu"];

export function dependsOnInnerMaps(path: string): boolean {
  return path === "maps" || isOneOf(path, BY_INNER_MAPS);
}

export function dependsOnVariables(path: string): boolean {
  return isOneOf(path, BY_VARIABLES);
}

export function dependsOnSizes(path: string): boolean {
  return isOneOf(path, BY_SIZES);
}

function isOneOf(path: string, facts: readonly string[]): boolean {
  return facts.some((fact) => path === fact || path.startsWith(`${fact}.`));
}
