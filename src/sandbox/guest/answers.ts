import { ANSWERS, NOTES, REFUSALS } from "../shared/buffer-layout.js";
import { integers } from "./host.js";
import { beginning, cut } from "./text.js";

/** Limits on reasons, notes and answers; whatever exceeds them is dropped, and only counted. */
const MAX_TEXT = 1024;
const MAX_REFUSALS = 32;
const MAX_NOTES = 16;
export const MAX_ANSWERS = 32;

const refusals: (string | number)[] = [];
const notes: string[] = [];
export const answers: unknown[] = [];

/**
 * Returns -errno and records the reason. Only the last `MAX_REFUSALS` are kept, in a ring; the shared buffer has their
 * number.
 */
export function deny(reason: unknown, errno: unknown = 1): number {
  if (!Number.isInteger(errno) || (errno as number) < 1 || (errno as number) > 4095)
    throw new RangeError("deny: errno is not an integer from 1 to 4095");
  const verdict = -(errno as number);
  const words = clip(reason);
  const made = integers[REFUSALS]!;
  const at = 2 * (made % MAX_REFUSALS);
  refusals[at] = verdict;
  refusals[at + 1] = words;
  integers[REFUSALS] = made + 1;
  return verdict;
}

export function note(text: unknown): void {
  const words = clip(text);
  const made = integers[NOTES]!;
  if (made < MAX_NOTES) notes[made] = words;
  integers[NOTES] = made + 1;
}

/** Records a helper's answer as four values. */
export function answer(helper: string, first: string, second: string, result: unknown): void {
  const kept = integers[ANSWERS]!;
  if (kept < 4 * MAX_ANSWERS) {
    answers[kept] = helper;
    answers[kept + 1] = first;
    answers[kept + 2] = second;
    answers[kept + 3] = result;
  }
  integers[ANSWERS] = kept + 4;
}

/** Adds reasons, notes and helpers' answers to the report for the host. Empty kinds are left out, to save time. */
export function tellAnswers(told: Record<string, unknown>): void {
  const refusalsMade = integers[REFUSALS]!;
  if (refusalsMade > 0) {
    told.refusals = refusalsInOrder(refusalsMade);
    told.refusalsMade = refusalsMade;
  }
  const notesMade = integers[NOTES]!;
  if (notesMade > 0) {
    told.notes = notes.slice(0, notesMade);
    told.notesMade = notesMade;
  }
  const kept = integers[ANSWERS]!;
  if (kept > 0) {
    told.answers = answers.slice(0, kept).map((one) => (typeof one === "string" ? beginning(one, MAX_TEXT) : one));
    told.answersMade = kept / 4;
  }
}

/** The reason of the last call of `deny`. */
export function lastReason(): string {
  return String(refusals[2 * ((integers[REFUSALS]! - 1) % MAX_REFUSALS) + 1]);
}

/** Verdict and reason of the recorded denials, oldest first. */
function refusalsInOrder(made: number): (string | number)[] {
  if (made <= MAX_REFUSALS) return refusals.slice(0, 2 * made);
  const oldest = 2 * (made % MAX_REFUSALS);
  return [...refusals.slice(oldest), ...refusals.slice(0, oldest)];
}

/** Drops everything that was recorded in the last decision, so that its memory can be freed. */
export function forgetAnswers(): void {
  for (const kept of [refusals, notes, answers]) kept.length = 0;
}

function clip(text: unknown): string {
  return cut(typeof text === "string" ? text : String(text), MAX_TEXT);
}
