/** Which files a list of files has: those that policies allow for every task, by what the guard compares. */
import type { Config } from "../config/config.js";
import { questionsAbout } from "../engine/files/file-questions.js";
import { FileSignatures } from "../engine/files/file-signatures.js";
import type { TimedEngine } from "../engine/timed-engine.js";
import type { HookName } from "../hooks/catalogue.js";
import { ROOT_ON_HOST } from "../policy/model/current.js";
import { judgementOf } from "./build/judgement.js";
import type { FileKind } from "./files.js";
import { whyNeverModule } from "./guard/never-modules.js";

/** The hook whose rules decide about each kind of files. */
export const HOOK_OF_FILES: Readonly<Record<FileKind, HookName>> = {
  modules: "kernel_read_file",
  executables: "bprm_check_security",
};

export interface JudgeFileOptions {
  readonly config: Config;
  /** As for judgeFile in build.ts. */
  readonly engine: Pick<TimedEngine, "decide" | "signatures" | "statements">;
}

/**
 * What becomes of a file in a list, and why it is not listed; null if it is. `never` says that the guard denies it
 * whatever the policies say.
 */
export interface FileResult {
  readonly result: "listed" | "denied" | "ticket" | "never";
  readonly reason: string | null;
}

/** Asks the policies about the contents of a file. Throws USAGE if the hook is not about files. */
export async function judgeContents(
  path: string,
  bytes: Uint8Array,
  hook: HookName,
  { config, engine }: JudgeFileOptions,
): Promise<FileResult> {
  const signatures = new FileSignatures(engine.signatures, null, engine.statements);
  const [question] = questionsAbout({ path, bytes, hook, objects: [] }, signatures);
  const { subject, unknown, offlineOnly } = question!;
  const decision = await engine.decide({ hook, subject: subject as never, current: ROOT_ON_HOST });
  const judgement = judgementOf(config, { decision, unknown, offlineOnly });
  if (judgement.kind === "denied") return { result: "denied", reason: judgement.reason };
  const never = hook === HOOK_OF_FILES.modules ? whyNeverModule(bytes) : null;
  if (never !== null) return { result: "never", reason: never };
  return judgement.kind === "allowed"
    ? { result: "listed", reason: null }
    : { result: judgement.kind, reason: judgement.reason };
}
