/**
 * The box: numbers that host and guest see both, on memory of the module, so that a decision takes one call and no value has
 * to be made for it. It has 32-bit integers, which QuickJS reads as such and can count and index with, and after them a few
 * doubles. esbuild puts these constants into the guest's text as plain numbers.
 */
export const INTEGERS = 32;
export const DOUBLES = 16;
/** Bytes: integers first. */
export const BOX_SIZE = 4 * INTEGERS + 8 * DOUBLES;

// The integers.

/** In: the steps that the policy may count before it asks for more. Out: what is left of them, negative when it ran out. */
export const STEPS = 0;
/** In: the number of the hook among those that the policy exports. */
export const HOOK = 1;
/** In: the slot that the subject was put in, is to be put in, or dropped from. */
export const SUBJECT = 2;
/** Out: what came of it, one of the constants below; 0 while the guest has not said. */
export const STATUS = 3;
/** In: bytes that the decision may take. Within: what is left of them. The engine itself counts, block by block. */
export const BUDGET = 4;
/** Out: how many notes were made. The host sets this and the next four to 0 before each decision. */
export const NOTES = 5;
/** Out: what the policy ran out of: MEMORY, STACK or NO_STEPS; else 0. Set by the engine itself, so that the policy cannot hide it. */
export const RAN_OUT = 6;
/** Out: how often `deny` was called. */
export const REFUSALS = 7;
/** Within: how many values are kept of what helpers answered. */
export const ANSWERS = 8;
/** Within: which fields of `current` were read, a bit each. */
export const FIELDS = 9;

/** In: which objects within `current` are there, a bit each. */
export const PRESENT = 16;

/** Within: garbage is collected once the budget is below this, which is then halved, but not below the next. */
export const COLLECT = 17;
/** In: the budget below which garbage is not collected any more. */
export const FLOOR = 18;
/** In: bytes that earlier decisions left to be collected. Out: 0 when they were, at no gain to this one. */
export const LITTER = 19;

/** Crossing out: which function of the host is called. */
export const CALL = 10;
/** Crossing out: numbers that it is given. Bytes are given by number, -1 for none. */
export const FIRST = 11;
export const SECOND = 12;
export const THIRD = 13;
/** Crossing back: the number that it answers. */
export const RESULT = 14;
/** Crossing back: 1 when the host could not answer. */
export const FAILED = 15;

/** In: where the host puts the address of the one argument of a call. */
export const ARGUMENT = 20;

/** Out: 1 when the policy read a fact that does not exist, even if it caught the exception; else 0. */
export const UNKNOWN_FACT = 21;
/** Out: 1 when the policy dropped a denial, even if it caught the exception; else 0. */
export const UNUSED_DENIAL = 22;

// The doubles.

/** Out: the verdict, when the policy answered with a number, whichever. */
export const VERDICT = 0;
/** From here on: the numbers of `current`, in the order of its number fields. */
export const CURRENT = 1;

/** Values of STATUS. */
export const ANSWERED = 1;
export const THREW = 2;
export const WRONG = 3;
/** The policy answered 0, and VERDICT is not set. */
export const ZERO = 4;

/** Values of RAN_OUT. */
export const MEMORY = 1;
export const STACK = 2;
/** Set by the host if the policy had too few steps for its call of the host. */
export const NO_STEPS = 3;

/** Values of CALL. */
export const VERIFY_SIGNATURE = 1;
export const HASH = 2;
export const MAP_LOOKUP = 3;
export const MAP_UPDATE = 4;
export const MAP_DELETE = 5;
export const READ = 6;
export const FIELD = 7;
/** The policy has used up its slice, and asks for the next one. */
export const MORE_STEPS = 8;
