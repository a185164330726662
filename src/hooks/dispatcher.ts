import { ERRNO } from "../errno.js";
import type { Attachment } from "../policy/attachment.js";
import type { Current } from "../policy/current.js";
import type { Mode } from "../policy/mode.js";
import type { Outcome } from "../policy/outcome.js";
import type { HookName } from "./catalogue.js";
import type { Answer, Refusal, Ruling } from "./decision.js";
import { grantsOf } from "./grants.js";
import { refusedByDefault, refusedByPolicy } from "./refusal.js";

/** What one decision is about. */
export interface Question {
  readonly hook: HookName;
  readonly subject: object;
  readonly current: Current;
  /** Capabilities that the task would need and lacks; none where they do not matter. */
  readonly lacking?: readonly string[];
}

/** What the configuration says for a hook that nothing enforcing is in scope for. */
export interface Default {
  readonly verdict: "allow" | "deny";
  readonly mode: Mode;
}

/**
 * Turns what attachments answer into a ruling. Each one given is in scope and is asked, in order. The first refusal of an
 * enforcing one is the verdict; with none enforcing the default is. One in audit never changes it: what it would have
 * refused is recorded and let through. Map writes wait until the verdict is known.
 */
export function dispatch(question: Question, attachments: readonly Attachment[], fallback: Default): Ruling {
  const answers: Answer[] = [];
  let enforcing = false;
  let refusal: Refusal | null = null;
  let would: Refusal | null = null;
  const start = performance.now();
  let now = start;
  for (const attachment of attachments) {
    const outcome = ask(attachment, question);
    const before = now;
    now = performance.now();
    const answer = answerOf(attachment, outcome, now - before);
    answers.push(answer);
    would ??= answer.refusal;
    if (attachment.mode === "audit") continue;
    enforcing = true;
    refusal ??= answer.refusal;
  }
  if (!enforcing && fallback.verdict === "deny") {
    if (attachments.length === 0) would = refusedByDefault(question.hook);
    if (fallback.mode === "enforce") refusal = refusedByDefault(question.hook);
  }
  settle(attachments, answers);
  would = refusal === null ? would : null;
  const ruling = { verdict: refusal?.verdict ?? 0, refusal, would, answers, duration: (now - start) * 1000 };
  const grants = refusal === null ? grantsOf(attachments, answers, question.lacking ?? NOTHING) : null;
  return grants === null ? ruling : { ...ruling, grants };
}

/** An attachment never throws; should one do so all the same, that is a fault like any other. */
function ask(attachment: Attachment, { hook, subject, current }: Question): Outcome {
  try {
    return attachment.ask(hook, subject, current);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const fault = { code: "INTERNAL_FAULT", message, place: null } as const;
    return { verdict: null, fault, reason: null, unusedReasons: [], notes: [], answers: [], steps: 0 };
  }
}

/** `took` is in milliseconds. */
function answerOf(attachment: Attachment, outcome: Outcome, took: number): Answer {
  const verdict = outcome.verdict ?? (attachment.onFault === "allow" ? 0 : -ERRNO.EPERM);
  return {
    attachment: attachment.name,
    mode: attachment.mode,
    policy: attachment.policyDigest,
    verdict,
    refusal: verdict === 0 ? null : refusedByPolicy(attachment.name, verdict, outcome),
    fault: outcome.fault,
    unused_reasons: outcome.unusedReasons,
    notes: outcome.notes,
    helpers: outcome.answers,
    writes: NO_WRITES,
    steps: outcome.steps,
    duration: took * 1000,
  };
}

const NOTHING: readonly never[] = Object.freeze([]);
const NO_WRITES: readonly never[] = Object.freeze([]);

/** Commits the writes of those that answered, in their order, and drops those of faults. */
function settle(attachments: readonly Attachment[], answers: Answer[]): void {
  for (let index = 0; index < answers.length; index++) {
    const [attachment, answer] = [attachments[index] as Attachment, answers[index] as Answer];
    if (answer.fault !== null) attachment.drop();
    else {
      const writes = attachment.commit();
      if (writes.length > 0) answers[index] = { ...answer, writes };
    }
  }
}
