import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";
import { readInput } from "../input.js";
import { SignatureStore } from "../trust/store.js";
import { hookOf, questionsAbout } from "./offline.js";
import { LOAD_HOOKS, type Question } from "./offline-load.js";

/** Options for decisions about a file. */
export interface FileOptions {
  /**
   * Ask only this hook. Required for a file that is not a BPF object, not a program that embeds one, and not a kernel
   * module.
   */
  readonly hook?: HookName;
  /**
   * A detached signature. Without it, the file `FILE.p7s` (or another suffix) is used, or else the configuration's
   * `signatures`.
   */
  readonly signature?: Uint8Array;
}

/** See `questionsAbout` of `DecisionEngine`. `signatures` are folders of detached signatures by digest. */
export function questionsAboutFile(
  path: string,
  signatures: readonly string[],
  options: FileOptions,
): readonly Question[] {
  const file = { path, bytes: readInput(path) };
  const hook = options.hook ?? hookOf(file);
  if (options.hook === undefined && hook === "blob_verify")
    throw new CountersignError("ELF_NO_PROGRAMS", "is neither a BPF object nor a kernel module", {
      place: path,
      remedy: "name a BPF object, or the hook: `blob_verify` for a blob",
    });
  const hooks = options.hook === undefined && hook === "bpf_prog_load" ? LOAD_HOOKS : [hook];
  return questionsAbout(file, hooks, { given: options.signature ?? null, store: SignatureStore.open(signatures) });
}
