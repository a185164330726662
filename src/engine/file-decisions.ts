import type { Relocator } from "../bpf/object.js";
import { CountersignError } from "../error.js";
import { LOAD_HOOKS } from "../hooks/catalogue.js";
import type { Decision } from "../hooks/decision.js";
import type { Current } from "../policy/model/current.js";
import { readContent } from "./files/file-content.js";
import { type FileOptions, questionsAbout } from "./files/file-questions.js";
import { FileSignatures } from "./files/file-signatures.js";
import type { Question } from "./files/load-questions.js";
import type { TimedEngine } from "./timed-engine.js";

/** A request for the decisions about a file. */
export interface FileRequest extends FileOptions {
  readonly current: Current;
  /** Milliseconds since the epoch, at which certificates are checked; by default now. */
  readonly time?: number | undefined;
  /**
   * Whether a BPF object without a named hook is decided about at each hook that the engine serves and that a gate asks
   * during its load. By default it is `bpf_prog_load` alone.
   */
  readonly wholeLoad?: boolean;
  /** Makes the facts about programs those on a kernel. By default they are from the object alone. */
  readonly relocate?: Relocator | undefined;
}

/** A decision about a file, and the facts that can differ in a live decision. */
export interface FileDecision extends Pick<Question, "unknown" | "offlineOnly"> {
  readonly decision: Decision;
}

/** What deciding about a file needs of an engine. */
type FileEngine = Pick<TimedEngine, "decide" | "serves" | "signatures" | "statements">;

/**
 * Decides about a file: one decision for each subject in it, at the hook that is named or that fits its content, in the
 * order of a live load. Throws an error with the file as its place if the file cannot be decided about.
 */
export async function decideFile(
  engine: FileEngine,
  path: string,
  request: FileRequest,
): Promise<readonly FileDecision[]> {
  const { current, time } = request;
  const decisions: FileDecision[] = [];
  for (const { hook, subject, unknown, offlineOnly } of fileQuestions(engine, path, request)) {
    const decision = await engine.decide({ hook, subject: subject as never, current, time });
    decisions.push({ decision, unknown, offlineOnly });
  }
  return decisions;
}

/** The questions that {@link decideFile} asks about a file. Throws the same errors. */
export function fileQuestions(
  engine: Pick<FileEngine, "serves" | "signatures" | "statements">,
  path: string,
  { hook: named, signature, wholeLoad = false, relocate }: Omit<FileRequest, "current" | "time">,
): readonly Question[] {
  const file = readContent(path, named);
  // A file of unknown type must not be reported as allowed
  if (named === undefined && file.hook === "blob_verify" && !engine.serves("blob_verify")) throw unrecognized(path);
  const whole = wholeLoad && named === undefined;
  const hooks = whole ? LOAD_HOOKS.filter((hook) => hook === file.hook || engine.serves(hook)) : [file.hook];
  const found = new FileSignatures(engine.signatures, signature, engine.statements);
  return questionsAbout(file, found, hooks, relocate);
}

function unrecognized(path: string): CountersignError {
  return new CountersignError("ELF_NO_PROGRAMS", "is not a BPF object, and no policy decides about blobs", {
    place: path,
    remedy: "name a BPF object, attach a policy to blob_verify, or say what is meant with --hook",
  });
}
