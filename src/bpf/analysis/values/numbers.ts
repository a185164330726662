import { ANY_NUMBER } from "./kinds.js";

/**
 * Sets of numbers as bits of a word: bits 0 to 29 for these numbers, bit 30 for -1, bit 31 for all other numbers. Only
 * the low 32 bits of a register count, as a signed number.
 */
const MINUS_ONE = 1 << 30;
export const OTHERS = 1 << 31;
export const LARGEST = 29;
/** The odd numbers that have a bit: 1, 3, …, 29 and -1. */
export const ODD = (0xaaaaaaaa & ~OTHERS) | MINUS_ONE;

export function setOf(...numbers: readonly number[]): number {
  let set = 0;
  for (const number of numbers) set |= bitOf(number);
  return set;
}

export function bitOf(number: number): number {
  if (number >= 0 && number <= LARGEST) return 1 << number;
  return number === -1 ? MINUS_ONE : OTHERS;
}

/** Whether each member of the set has its own bit. */
export function enumerable(set: number): boolean {
  return (set & OTHERS) === 0;
}

/** All numbers from 0 to `last`; all numbers if `last` has no bit. */
export function upTo(last: number): number {
  return last >= 0 && last <= LARGEST ? (2 << last) - 1 : ANY_NUMBER;
}

/** The set of the results for each member. */
export function mapSet(set: number, change: (member: number) => number): number {
  if (!enumerable(set)) return ANY_NUMBER;
  let result = (set & MINUS_ONE) !== 0 ? bitOf(change(-1) | 0) : 0;
  for (let member = 0; member <= LARGEST; member++)
    if ((set & (1 << member)) !== 0) result |= bitOf(change(member) | 0);
  return result;
}

/** The members for which `keep` returns true. Numbers without their own bit are kept. */
export function filterSet(set: number, keep: (member: number) => boolean): number {
  let result = set & OTHERS;
  if ((set & MINUS_ONE) !== 0 && keep(-1)) result |= MINUS_ONE;
  for (let member = 0; member <= LARGEST; member++)
    if ((set & (1 << member)) !== 0 && keep(member)) result |= 1 << member;
  return result;
}

/** For messages: `0 or 2`. */
export function describeSet(set: number): string {
  const words: string[] = (set & MINUS_ONE) !== 0 ? ["-1"] : [];
  for (let member = 0; member <= LARGEST; member++) if ((set & (1 << member)) !== 0) words.push(String(member));
  if ((set & OTHERS) !== 0) words.push("another number");
  return words.join(" or ");
}

/** The largest number of an enumerable set; 0 if it has none that is not negative. */
export function largest(set: number): number {
  return Math.max(0, 31 - Math.clz32(set & ~MINUS_ONE));
}

/** The least number of an enumerable set that is not negative; 0 if it has none. */
export function least(set: number): number {
  const numbers = set & ~MINUS_ONE;
  return numbers === 0 ? 0 : 31 - Math.clz32(numbers & -numbers);
}
