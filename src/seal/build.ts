/** Which programs of a file a list of one kernel has: those whose verdict the guard can repeat. */

import type { Variant } from "../bpf/core/variant.js";
import { isEmbedded } from "../bpf/embedded.js";
import type { ProgramSubject } from "../bpf/model/facts.js";
import type { Kernel } from "../bpf/relocate.js";
import { Relocations } from "../bpf/relocations.js";
import { type ResolvedProgram, resolveObject, resolvePrograms } from "../bpf/resolved-object.js";
import { type ProgramPart, programPartOf } from "../bpf/statement.js";
import type { Config } from "../config/config.js";
import { type FileContent, placedIn } from "../engine/files/file-content.js";
import { questionsAbout } from "../engine/files/file-questions.js";
import { FileSignatures } from "../engine/files/file-signatures.js";
import type { TimedEngine } from "../engine/timed-engine.js";
import { CountersignError } from "../error.js";
import { ROOT_ON_HOST } from "../policy/model/current.js";
import { type AskedDecision, type Judgement, judgementOf } from "./build/judgement.js";
import { programEntries } from "./build/program-entries.js";
import { onlySignatureBy } from "./build/signature-rule.js";
import { whyNever } from "./guard/never.js";
import type { ListEntry } from "./list.js";

export { probeEntries } from "./build/probe-entries.js";

/**
 * What becomes of a program in a list. Of those that are not listed, `denied` says that the policies deny it, `ticket`
 * that only an agent could decide at the load, `never` that the guard denies it whatever the policies say, and `cannot
 * load` that the kernel or libbpf rejects it.
 */
export const RESULTS = ["listed", "denied", "ticket", "never", "cannot load"] as const;
export type Result = (typeof RESULTS)[number];

export interface JudgedProgram {
  readonly name: string;
  readonly section: string;
  readonly type: string;
  /** Offset of its object in the file; null if the file is the object. */
  readonly offset: number | null;
  readonly result: Result;
  /** Why it is not listed; null if it is. */
  readonly reason: string | null;
  /** Empty unless it is listed. */
  readonly entries: readonly ListEntry[];
  /** The keyring by whose signature alone policies allow it: see {@link onlySignatureBy}; null if there is none. */
  readonly signedBy: string | null;
}

export interface JudgeOptions {
  /** With the scopes of its attachments. */
  readonly config: Config;
  /** For {@link askingEveryAttachment} of the configuration, and with a record of what answers depend on. */
  readonly engine: Pick<TimedEngine, "decide" | "signatures" | "statements">;
  readonly kernel: Kernel;
  readonly variant: Variant;
  /** List programs although the guard does not compare who created their maps. */
  readonly anyMaps: boolean;
}

/** The configuration with every attachment in scope for all tasks, so that one decision has the answers of all. */
export function askingEveryAttachment(config: Config): Config {
  return { ...config, attachments: config.attachments.map((attachment) => ({ ...attachment, scope: {} })) };
}

/** Judges the programs of a file. Throws the errors of reading its objects, with the file as their place. */
export async function judgeFile(file: FileContent, options: JudgeOptions): Promise<readonly JudgedProgram[]> {
  const { kernel, variant, engine } = options;
  const { relocate } = new Relocations(
    (object, programs) => resolvePrograms(object, programs, kernel, variant).programs,
  );
  const signatures = new FileSignatures(engine.signatures, null, engine.statements);
  const questions = questionsAbout(file, signatures, ["bpf_prog_load", "bpf_prog"], relocate);
  const embedded = isEmbedded(file.objects);
  const judged: JudgedProgram[] = [];
  let next = 0;
  for (const { offset, bytes } of file.objects) {
    const programs = placedIn(file.path, () => resolveObject(bytes, kernel, variant).programs);
    const part = statedPart(bytes);
    for (const resolved of programs) {
      const { name, section, type } = resolved;
      const known = { name, section, type, offset: embedded ? offset : null };
      const asked: AskedDecision[] = [];
      // Hook bpf_prog_load, then bpf_prog
      for (const { hook, subject, ...facts } of questions.slice(next, next + 2))
        asked.push({
          ...facts,
          decision: await engine.decide({ hook, subject: subject as never, current: ROOT_ON_HOST }),
        });
      const subject = questions[next]!.subject as ProgramSubject;
      next += 2;
      judged.push({ ...known, ...resultOf({ subject, resolved, part, asked }, options) });
    }
  }
  return judged;
}

interface Asked {
  readonly subject: ProgramSubject;
  readonly resolved: ResolvedProgram;
  readonly part: ProgramPart | CountersignError;
  readonly asked: readonly AskedDecision[];
}

function resultOf(
  { subject, resolved, part, asked }: Asked,
  { config, engine, anyMaps }: JudgeOptions,
): Pick<JudgedProgram, "result" | "reason" | "entries" | "signedBy"> {
  const error = resolved.error ?? (part instanceof CountersignError ? part : null);
  if (error !== null) return without("cannot load", error.message);
  if (resolved.relocated !== null && resolved.relocated.digest !== subject.digest)
    throw new CountersignError("INTERNAL", `\`${subject.name}\` was judged with other instructions than are listed`);
  const judgements = asked.map((one) => judgementOf(config, one));
  const refused = refusal(judgements);
  const never = refused?.kind === "denied" ? null : whyNever(subject);
  if (never !== null) return without("never", never);
  if (refused !== null) return without(refused.kind, refused.reason);
  const dependencies = judgements.flatMap((judgement) => (judgement.kind === "allowed" ? judgement.dependencies : []));
  const { statements } = engine;
  const allowed = { subject, resolved, part: part as ProgramPart, dependencies };
  const signedBy = onlySignatureBy(dependencies);
  const found = programEntries(allowed, { statements, anyMaps });
  return "why" in found
    ? { ...without("ticket", found.why), signedBy }
    : { result: "listed", reason: null, entries: found.entries, signedBy };
}

/** A denial counts before a ticket: an agent would deny it too. */
function refusal(judgements: readonly Judgement[]): Exclude<Judgement, { kind: "allowed" }> | null {
  const refused = judgements.filter((judgement) => judgement.kind !== "allowed");
  return refused.find(({ kind }) => kind === "denied") ?? refused[0] ?? null;
}

function without(result: Result, reason: string): Pick<JudgedProgram, "result" | "reason" | "entries" | "signedBy"> {
  return { result, reason, entries: [], signedBy: null };
}

/** What the object says of its programs, or why libbpf cannot load it. */
function statedPart(bytes: Uint8Array): ProgramPart | CountersignError {
  try {
    return programPartOf(bytes);
  } catch (error) {
    if (error instanceof CountersignError) return error;
    throw error;
  }
}
