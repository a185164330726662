import { CALL, FAILED, FIRST, RESULT, SECOND, THIRD } from "../shared/buffer-layout.js";

/** Provided by the host when it starts the guest; see main.ts. */
declare const $integers: Int32Array;
declare const $doubles: Float64Array;
declare const $call: (text?: string) => string | undefined;

export const integers = $integers;
export const doubles = $doubles;

/**
 * Calls the host and returns its text; a number is in the shared buffer. Throws an error of the guest if the host could
 * not answer.
 */
export function callHost(
  what: number,
  who: string,
  text?: string,
  first = 0,
  second = 0,
  third = 0,
): string | undefined {
  integers[CALL] = what;
  integers[FIRST] = first;
  integers[SECOND] = second;
  integers[THIRD] = third;
  integers[FAILED] = 0;
  const answer = text === undefined ? $call() : $call(text);
  if (integers[FAILED] !== 0) throw new Error(`${who} could not be answered`);
  return answer;
}

export function hostNumber(): number {
  return integers[RESULT]!;
}
