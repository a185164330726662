import { basename } from "node:path";
import { sha256 } from "../../bpf/insn/digest.js";
import type { FileFacts } from "../../bpf/model/facts.js";
import type { Relocator } from "../../bpf/object.js";
import { CountersignError } from "../../error.js";
import { type HookName, hookRow, LOAD_HOOKS } from "../../hooks/catalogue.js";
import type { Subject } from "../../hooks/subject.js";
import { SignatureStore, signatureFolders } from "../../trust/store.js";
import { StatementStore } from "../statements/statement-store.js";
import { type FileContent, placedIn, readContent } from "./file-content.js";
import { FileSignatures } from "./file-signatures.js";
import { loadQuestions, type Question } from "./load-questions.js";

/** Options for decisions about a file. */
export interface FileOptions {
  /**
   * Ask only this hook. Required for a file that is not a BPF object, not a program that embeds one, and not a kernel
   * module.
   */
  readonly hook?: HookName | undefined;
  /**
   * A detached signature. Without it, the file `FILE.p7s` (or another suffix) is used, or else the configuration's
   * `signatures`.
   */
  readonly signature?: Uint8Array | undefined;
}

/**
 * See `questionsAbout` of `DecisionEngine`. `signatures` are folders of detached signatures by digest; the `statements`
 * in them can be given if they are known already.
 */
export function questionsAboutFile(
  path: string,
  signatures: readonly string[],
  { hook: named, signature }: FileOptions,
  statements = StatementStore.open(signatureFolders(signatures)),
): readonly Question[] {
  const file = readContent(path, named);
  if (named === undefined && file.hook === "blob_verify")
    throw new CountersignError("ELF_NO_PROGRAMS", "is neither a BPF object nor a kernel module", {
      place: path,
      remedy: "name a BPF object, or the hook: `blob_verify` for a blob",
    });
  const hooks = named === undefined ? LOAD_HOOKS : [named];
  return questionsAbout(file, new FileSignatures(SignatureStore.open(signatures), signature, statements), hooks);
}

/**
 * The decisions to ask for about a file: one, or, if its hook is one of a load, those of `hooks` about each program and
 * map in it, in the order of a live load. Throws what parsing the file throws, with its path, and USAGE if the hook's
 * subject is not a file. With `relocate`, the facts about programs are those on a kernel.
 */
export function questionsAbout(
  file: FileContent,
  signatures: FileSignatures,
  hooks: readonly HookName[] = [file.hook],
  relocate?: Relocator,
): readonly Question[] {
  return placedIn(file.path, () => {
    const { hook, objects } = file;
    const facts = fileFacts(file, signatures);
    if (!LOAD_HOOKS.includes(hook)) return [{ hook, subject: wholeFile(facts, hook), unknown: [], offlineOnly: [] }];
    const load = loadQuestions(objects, facts, signatures, relocate);
    return load.filter((question) => hooks.includes(question.hook));
  });
}

function fileFacts({ path, bytes }: FileContent, signatures: FileSignatures): FileFacts {
  const digest = sha256(bytes);
  return { path, sha256: digest, data: bytes, signature: signatures.ofFile(path, digest) };
}

/** The subject for a hook that uses the whole file. */
function wholeFile(facts: FileFacts, hook: HookName): Subject {
  const { sha256: digest, data, signature } = facts;
  const name = basename(facts.path);
  const { subject, purpose = "exec" } = hookRow(hook);
  switch (subject) {
    case "file":
      return { ...facts, name, digest, purpose, ...(purpose === "module" ? {} : { parameters: null }) };
    case "blob":
      return { name, digest, data, signature };
    default:
      throw new CountersignError("USAGE", `${hook} is not about a file`, { remedy: "name another hook with --hook" });
  }
}
