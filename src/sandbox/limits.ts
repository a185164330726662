/** What a runtime may use. A policy's attachment says; these stand where it does not. */
export const DEFAULT_LIMITS = {
  /** See weights.ts: a loop of 100,000 rounds fits. */
  steps: 150_000,
  /** Bytes that a decision may take of the guest's heap. */
  memory: 8 * 1024 * 1024,
  /** Bytes of guest stack. */
  stack: 256 * 1024,
  /** Milliseconds. */
  timeout: 50,
} as const;

/** The bounds within which a configuration may set them: smallest and largest. */
export const LIMIT_BOUNDS = {
  steps: [1, 100_000_000],
  memory: [64 * 1024, 256 * 1024 * 1024],
  stack: [16 * 1024, 256 * 1024],
  timeout: [1, 10_000],
} as const;

/** Bytes that a guest may take to tell of a decision, which it keeps short. */
export const TOLD_MEMORY = 4 * 1024 * 1024;

/**
 * What compiling a policy may take: units of natives (rounds of the engine's own loops) and bytes. The shipped policies take
 * 30,000 units at most. The slowest texts that were found take 70 units a microsecond: compiling ends within some 60 ms.
 */
export const COMPILE_UNITS = 4_000_000;
export const COMPILE_MEMORY = 8 * 1024 * 1024;

/** What making a runtime may take: the guest is started, and a policy compiled that was found to be within its bounds. */
export const PREPARE_UNITS = 2 * COMPILE_UNITS + 4_000_000;
export const PREPARE_MEMORY = 2 * COMPILE_MEMORY + 4 * 1024 * 1024;

/** Default for the bytes that the runtimes of an engine may take in all of its domains. */
export const SANDBOX_MEMORY = 256 * 1024 * 1024;

/** Subjects that a runtime keeps built, and how many characters of JSON they may come to. */
export const SUBJECTS_KEPT = 64;
export const SUBJECT_TEXT_KEPT = 1024 * 1024;

/** Bytes that the runtimes of one module hold; the next runtime gets another module. A trap ends all runtimes of its module. */
export const MODULE_SHARE = 16 * 1024 * 1024;
/** A module whose memory has grown past this is replaced: WASM memory never shrinks. */
export const MODULE_MEMORY = 192 * 1024 * 1024;
