import type { HookDefault, HookName } from "../../hooks/catalogue.js";
import type { Answer, Denial, DispatchResult } from "../../hooks/decision.js";
import { deniedByDefault, deniedByPolicy } from "../../hooks/denial.js";
import { grantsOf } from "../../hooks/grants.js";
import type { Attachment } from "../../policy/attachment.js";
import type { Current } from "../../policy/model/current.js";
import type { Mode } from "../../policy/model/mode.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { appliedVerdict, Combination, faultVerdict } from "./combination.js";

/** The input of one decision. */
export interface Question {
  readonly hook: HookName;
  readonly subject: object;
  readonly current: Current;
  /**
   * Capabilities that the task needs for the operation and lacks; absent where the hook does not depend on
   * capabilities.
   */
  readonly missingCapabilities?: readonly string[];
}

/** The part of the configuration that applies to the hook. */
export interface Rules {
  readonly default: HookDefault;
  /** The mode of the engine: `audit` makes a dry run. */
  readonly mode: Mode;
}

/**
 * Asks the attachments in order, and combines their answers (see {@link Combination}). The caller passes only
 * attachments in scope. In mode `audit` the applied verdict is 0; nothing else differs. Map writes are committed after
 * the verdict is known.
 */
export function dispatch(question: Question, attachments: readonly Attachment[], rules: Rules): DispatchResult {
  const answers: Answer[] = [];
  const combination = new Combination<Denial>();
  const start = performance.now();
  let now = start;
  for (const attachment of attachments) {
    const outcome = ask(attachment, question);
    const before = now;
    now = performance.now();
    const answer = answerOf(attachment, outcome, now - before);
    answers.push(answer);
    combination.add(attachment.mode, answer.denial, answer.fault !== null);
  }
  combination.close(rules.default, (rule, asked) => deniedByDefault(question.hook, rule, asked));
  const { deniedBy, auditDenials } = combination;
  commitWrites(attachments, answers);
  const enforced = deniedBy?.verdict ?? 0;
  const result = {
    mode: rules.mode,
    verdict: appliedVerdict(rules.mode, enforced),
    enforced_verdict: enforced,
    denied_by: deniedBy,
    audit_denials: auditDenials,
    answers,
    duration_us: (now - start) * 1000,
  };
  const grants = deniedBy === null ? grantsOf(attachments, answers, question.missingCapabilities ?? NOTHING) : null;
  return grants === null ? result : { ...result, grants };
}

/** Attachments do not throw. If one does because of a bug, the exception becomes a fault of that attachment. */
function ask(attachment: Attachment, { hook, subject, current }: Question): Outcome {
  try {
    return attachment.ask(hook, subject, current);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const fault = { code: "INTERNAL_FAULT", message, place: null } as const;
    return { verdict: null, fault, reason: null, unusedReasons: [], notes: [], answers: [], steps: 0 };
  }
}

/** What an answer has only if the engine records it. */
type RecordedFields = { -readonly [Field in "dependencies" | "calls" | "reads_annotations"]?: Answer[Field] };

/** `took` is in milliseconds. */
function answerOf(attachment: Attachment, outcome: Outcome, took: number): Answer {
  const verdict = outcome.verdict ?? faultVerdict(attachment.onFault);
  const answer: Omit<Answer, keyof RecordedFields> & RecordedFields = {
    attachment: attachment.name,
    mode: attachment.mode,
    policy: attachment.policyDigest,
    verdict,
    denial: verdict === 0 ? null : deniedByPolicy(attachment.name, verdict, outcome),
    fault: outcome.fault,
    unused_reasons: outcome.unusedReasons,
    notes: outcome.notes,
    helpers: outcome.answers,
    writes: NO_WRITES,
    steps: outcome.steps,
    duration_us: took * 1000,
  };
  // Added one by one: V8 creates and reads objects from a spread more slowly
  if (outcome.dependencies !== undefined) answer.dependencies = outcome.dependencies;
  if (outcome.calls !== undefined) answer.calls = outcome.calls;
  if (outcome.readsAnnotations) answer.reads_annotations = true;
  return answer;
}

const NOTHING: readonly never[] = Object.freeze([]);
const NO_WRITES: readonly never[] = Object.freeze([]);

/** Commits the map writes of attachments that answered, in order, and discards the writes of those that failed. */
function commitWrites(attachments: readonly Attachment[], answers: Answer[]): void {
  for (let index = 0; index < answers.length; index++) {
    const [attachment, answer] = [attachments[index] as Attachment, answers[index] as Answer];
    if (answer.fault !== null) attachment.drop();
    else {
      const writes = attachment.commit();
      if (writes.length > 0) answers[index] = { ...answer, writes };
    }
  }
}
