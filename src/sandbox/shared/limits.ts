/** The limits of a runtime. An attachment may set them; these are the defaults. */
export const DEFAULT_LIMITS = {
  /** See weights.ts: enough for a loop of 100,000 rounds. */
  steps: 150_000,
  /** Bytes of the guest's heap that a decision may use. */
  memory: 8 * 1024 * 1024,
  /** Bytes of guest stack. */
  stack: 256 * 1024,
  /** Milliseconds. */
  timeout: 50,
} as const;

/** The smallest and largest values that a configuration may set. */
export const LIMIT_BOUNDS = {
  steps: [1, 100_000_000],
  memory: [64 * 1024, 256 * 1024 * 1024],
  stack: [16 * 1024, 256 * 1024],
  timeout: [1, 10_000],
} as const;

/** Bytes that the guest may use to report a decision; it keeps the report short. */
export const TOLD_MEMORY = 4 * 1024 * 1024;

/**
 * Limits on compiling a policy: units of native code (rounds of the engine's own loops) and bytes. The shipped policies
 * take at most 30,000 units. The slowest known texts take 70 units per microsecond, so compiling ends within about 60
 * ms.
 */
export const COMPILE_UNITS = 4_000_000;
export const COMPILE_MEMORY = 8 * 1024 * 1024;

/**
 * Limits on creating a runtime: starting the guest and compiling a policy, which is known to be within its own limits.
 */
export const PREPARE_UNITS = 2 * COMPILE_UNITS + 4_000_000;
export const PREPARE_MEMORY = 2 * COMPILE_MEMORY + 4 * 1024 * 1024;

/** Default for the bytes that all runtimes of an engine may use, over all of its domains. */
export const SANDBOX_MEMORY = 256 * 1024 * 1024;

/** The most subjects that a runtime keeps, and the most characters of JSON in them. */
export const SUBJECTS_KEPT = 64;
export const SUBJECT_TEXT_KEPT = 1024 * 1024;

/**
 * Bytes that the runtimes of one module may hold before the next runtime gets another module. A trap ends all runtimes
 * of its module.
 */
export const MODULE_SHARE = 16 * 1024 * 1024;
/** A module whose memory exceeds this is replaced, since WASM memory never shrinks. */
export const MODULE_MEMORY = 192 * 1024 * 1024;
