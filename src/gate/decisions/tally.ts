import type { Decision } from "../../hooks/decision.js";

/**
 * The outcomes of an operation, by the enforced verdicts of its decisions. If an operation has several decisions, the
 * outcome that is last in this list counts. An operation is a system call and a loader's retries of it after a denial.
 */
export const OUTCOMES = ["allowed", "probes", "denied"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The other counters. */
const EVENTS = [
  /** Decisions in which a policy failed. */
  "faults",
  "stalls",
  "slowTasks",
  /** Loads that waited because too many programs were released. */
  "throttled",
  "replacements",
  "keyringFailures",
  /** Denials by the gate that repeat a logged denial. */
  "repeats",
  /** Decisions of a dry run that could not be logged. */
  "logFailures",
  /** Incomplete lines of the log that were ended with a line feed. */
  "torn",
  /** Decisions that granted capabilities, and decisions that froze a program's maps; in a dry run, that would have. */
  "granted",
  "frozen",
  /** Decisions of the shadow, and those that differ. */
  "shadowDecisions",
  "shadowDifferences",
  /** Decisions that the shadow did not make, because it was behind or stopped, and differences that are not logged. */
  "shadowMissed",
] as const;
export const COUNTS = [...OUTCOMES, ...EVENTS] as const;
export type Count = (typeof COUNTS)[number];

/** The names of the counters in metrics, before `_total`, and in the output of `run --json`. */
export const COUNT_NAMES: Readonly<Record<Count, string>> = {
  allowed: "allowed",
  probes: "probes",
  denied: "denied",
  faults: "policy_faults",
  stalls: "tasks_killed",
  slowTasks: "slow_task_events",
  throttled: "throttled_loads",
  replacements: "worker_replacements",
  keyringFailures: "keyring_reload_failures",
  repeats: "repeated_denials",
  logFailures: "log_failures",
  torn: "log_torn_lines",
  granted: "capability_grants",
  frozen: "map_freezes",
  shadowDecisions: "shadow_decisions",
  shadowDifferences: "shadow_differences",
  shadowMissed: "shadow_missed",
};

/** Upper bounds of the duration histogram, in microseconds, from receipt to answer. One more bucket has no bound. */
export const BUCKETS = [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000, 250_000] as const;

/** Counters of one gate, in shared memory. Any thread that has the memory can add and read. */
export class Tally {
  readonly #counts: BigInt64Array;
  readonly #buckets: BigInt64Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(8 * (COUNTS.length + BUCKETS.length + 2))) {
    this.#counts = new BigInt64Array(memory, 0, COUNTS.length);
    this.#buckets = new BigInt64Array(memory, 8 * COUNTS.length, BUCKETS.length + 2);
  }

  /** Counts the events of a decision. The operation itself is counted when it has ended. */
  decision({ answers, grants }: Decision): void {
    if (grants?.delegation?.mode === "enforce") this.add("granted");
    if (grants?.freeze !== undefined) this.add("frozen");
    if (answers.some(({ fault }) => fault !== null)) this.add("faults");
  }

  add(count: Count): void {
    Atomics.add(this.#counts, COUNTS.indexOf(count), 1n);
  }

  /** Adds the duration of an answered call to the histogram. */
  answered(microseconds: number): void {
    const bucket = BUCKETS.findIndex((bound) => microseconds <= bound);
    Atomics.add(this.#buckets, bucket < 0 ? BUCKETS.length : bucket, 1n);
    Atomics.add(this.#buckets, BUCKETS.length + 1, BigInt(Math.round(microseconds)));
  }

  read(): Readonly<Record<Count, number>> {
    return Object.fromEntries(COUNTS.map((name, index) => [name, Number(Atomics.load(this.#counts, index))])) as Record<
      Count,
      number
    >;
  }

  /** The number of answers in each bucket (the unbounded one last), and the sum of the durations in microseconds. */
  times(): { readonly buckets: readonly number[]; readonly sum: number } {
    const all = Array.from(this.#buckets, (_, index) => Number(Atomics.load(this.#buckets, index)));
    return { buckets: all.slice(0, -1), sum: all.at(-1) ?? 0 };
  }
}
