/**
 * Layout of the shared buffer: numbers in the module's memory that host and guest share, so that a decision takes one
 * call and no values have to be created for it. It has 32-bit integers, which QuickJS reads as integers and can use as
 * counters and indexes, followed by doubles. esbuild inlines these constants in the guest's text. In the comments
 * below, "In" and "Out" mean input and output of a decision, "Within" a value that is used during it.
 */
export const INTEGERS = 32;
export const DOUBLES = 16;
/** In bytes; the integers come first. */
export const BUFFER_SIZE = 4 * INTEGERS + 8 * DOUBLES;

// The integers.

/** In: the steps that the policy may count before it asks for more. Out: the steps left; negative if it ran out. */
export const STEPS = 0;
/** In: the number of the hook among those that the policy exports. */
export const HOOK = 1;
/** In: the slot of the subject to use, to build, or to drop. */
export const SUBJECT = 2;
/** Out: one of the values of STATUS below; 0 if the guest did not set it. */
export const STATUS = 3;
/** In: bytes that the decision may use. Within: bytes left. The engine counts each block itself. */
export const BUDGET = 4;
/** Out: number of notes. The host sets this and the next four to 0 before each decision. */
export const NOTES = 5;
/**
 * Out: which limit was reached: MEMORY, STACK or NO_STEPS; else 0. The engine sets it, so that the policy cannot hide
 * it.
 */
export const RAN_OUT = 6;
/** Out: number of calls of `deny`. */
export const REFUSALS = 7;
/** Within: number of values recorded for helpers' answers. */
export const ANSWERS = 8;
/** Within: the fields of `current` that were read, one bit each. */
export const FIELDS = 9;

/** In: the objects in `current` that are not null, one bit each. */
export const PRESENT = 16;

/** Within: garbage is collected when the budget falls below this value, which is then halved, down to FLOOR. */
export const COLLECT = 17;
/** In: the budget below which no more garbage is collected. */
export const FLOOR = 18;
/**
 * In: bytes of garbage from earlier decisions. Out: 0 if they were collected, which does not increase this decision's
 * budget.
 */
export const LITTER = 19;

/** Host call: the function of the host, one of the values of CALL. */
export const CALL = 10;
/** Host call: number arguments. Bytes are passed by number, -1 for none. */
export const FIRST = 11;
export const SECOND = 12;
export const THIRD = 13;
/** Host call: the number that the host returned. */
export const RESULT = 14;
/** Host call: 1 if the host could not answer. */
export const FAILED = 15;

/** In: address of the one argument of a call, set by the host. */
export const ARGUMENT = 20;

/** Out: 1 if the policy read a fact that does not exist, even if it caught the exception; else 0. */
export const UNKNOWN_FACT = 21;
/** Out: 1 if the policy dropped a denial, even if it caught the exception; else 0. */
export const UNUSED_DENIAL = 22;

// The doubles.

/** Out: the verdict, if the policy returned a number. */
export const VERDICT = 0;
/** Index of the first number field of `current`; the others follow in order. */
export const CURRENT = 1;

/** Values of STATUS. */
export const ANSWERED = 1;
export const THREW = 2;
export const WRONG = 3;
/** The policy returned 0, and VERDICT is not set. */
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
export const SIGNER_OF = 9;
export const VERIFY_PROGRAM = 10;
export const STATEMENT_OF = 11;
export const SIGNER_OF_PROGRAM = 12;
/** The policy reads a fact; only if the guest records reads. */
export const FACT_READ = 13;
/** The policy reached a point; only if it was linked with points. */
export const POINT_REACHED = 14;
