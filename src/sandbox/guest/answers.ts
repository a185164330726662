import { NOTES } from "../slots.js";
import { box } from "./host.js";

/** Reasons, notes and answers are kept within these bounds; what is over is left out, and said to be. */
const MAX_TEXT = 1024;
const MAX_NOTES = 16;
const MAX_ANSWERS = 32;

let refusals: (string | number)[] = [];
let notes: string[] = [];
let answers: unknown[] = [];
let refused = 0;
let answered = 0;

/** A new decision begins: nothing of the last one is left. */
export function forgetAnswers(): void {
  refused = 0;
  answered = 0;
  if (box[NOTES] !== 0) {
    notes = [];
    box[NOTES] = 0;
  }
}

/** Refuses with words: gives back -errno. Only the last refusals are kept. */
export function deny(reason: unknown, errno: unknown = 1): number {
  if (!Number.isInteger(errno) || (errno as number) < 1 || (errno as number) > 4095)
    throw new RangeError("deny: errno is not an integer from 1 to 4095");
  const verdict = -(errno as number);
  if (refused >= 2 * MAX_ANSWERS) refused = 0;
  refusals[refused++] = verdict;
  refusals[refused++] = clip(reason);
  return verdict;
}

export function note(text: unknown): void {
  const count = box[NOTES]!;
  box[NOTES] = count + 1;
  if (count < MAX_NOTES) notes[count] = clip(text);
}

/** Keeps what a helper answered. */
export function answer(helper: string, first: string, second: string, result: unknown): void {
  if (answered < 4 * MAX_ANSWERS) {
    answers[answered] = helper;
    answers[answered + 1] = first;
    answers[answered + 2] = second;
    answers[answered + 3] = result;
  }
  answered += 4;
}

/** What the host reads out for a refusal or a note. */
export function tellAnswers(): object {
  const told = {
    refusals: refusals.slice(0, refused),
    notes,
    notesMade: box[NOTES],
    answers: answers.slice(0, answered),
    answersMade: answered / 4,
  };
  refusals = [];
  answers = [];
  return told;
}

function clip(text: unknown): string {
  const whole = typeof text === "string" ? text : String(text);
  return whole.length > MAX_TEXT ? `${whole.slice(0, MAX_TEXT - 1)}…` : whole;
}
