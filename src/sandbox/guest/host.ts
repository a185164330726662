import { CALL, FAILED, FIRST, RESULT, SECOND, THIRD } from "../slots.js";

/** Provided by the host when it starts the guest; see main.ts. */
declare const $box: Int32Array;
declare const $doubles: Float64Array;
declare const $call: (text?: string) => string | undefined;

export const box = $box;
export const doubles = $doubles;

/**
 * Calls the host and returns its text; a number is in the box. Throws an error of the guest if the host could not
 * answer.
 */
export function callHost(
  what: number,
  who: string,
  text?: string,
  first = 0,
  second = 0,
  third = 0,
): string | undefined {
  box[CALL] = what;
  box[FIRST] = first;
  box[SECOND] = second;
  box[THIRD] = third;
  box[FAILED] = 0;
  const answer = text === undefined ? $call() : $call(text);
  if (box[FAILED] !== 0) throw new Error(`${who} could not be answered`);
  return answer;
}

export function hostNumber(): number {
  return box[RESULT]!;
}
