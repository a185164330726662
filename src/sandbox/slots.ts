/**
 * The box: numbers that host and guest see both, as a Float64Array on memory of the module. A decision takes one call
 * and no value has to be made for it. esbuild puts these constants into the guest's text as plain numbers.
 */

/** In: the fuel that the decision has. Out: what is left, negative when it ran out. */
export const FUEL = 0;
/** In: the number of the hook among those that the policy exports. */
export const HOOK = 1;
/** In: the slot that the subject was put in. */
export const SUBJECT = 2;
/** Out: what came of it, one of the constants below; 0 while the guest has not said. */
export const STATUS = 3;
/** Out: the verdict, when the policy answered with a number. */
export const VERDICT = 4;
/** Out: how many notes were made. */
export const NOTES = 5;
/** Out: what the policy ran out of, though it tried to go on: MEMORY or STACK; else 0. */
export const SWALLOWED = 6;

/** Crossing out: which function of the host is called. */
export const CALL = 8;
/** Crossing out: numbers that it is given. Bytes are given by number, -1 for none. */
export const FIRST = 9;
export const SECOND = 10;
export const THIRD = 11;
/** Crossing back: the number that it answers. */
export const RESULT = 12;
/** Crossing back: 1 when the host could not answer. */
export const FAILED = 13;

/** From here on: the numbers of `current`, in the order of its number fields. */
export const CURRENT = 16;
/** How many numbers the box holds. */
export const BOX_LENGTH = 32;

/** Values of STATUS. */
export const ANSWERED = 1;
export const THREW = 2;
export const WRONG = 3;

/** Values of SWALLOWED. */
export const MEMORY = 1;
export const STACK = 2;

/** Values of CALL. */
export const VERIFY_SIGNATURE = 1;
export const HASH = 2;
export const MAP_LOOKUP = 3;
export const MAP_UPDATE = 4;
export const MAP_DELETE = 5;
export const READ = 6;
export const FIELD = 7;
