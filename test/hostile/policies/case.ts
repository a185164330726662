import type { ErrorCode } from "../../../src/error.js";
import type { FaultCode } from "../../../src/policy/model/outcome.js";

/** A policy that somebody wrote to do harm, and what must become of it. */
export interface HostileCase {
  readonly name: string;
  /** The body of `blob_verify(blob, current)`; or a whole file, where it exports something itself. */
  readonly policy: string;
  /** The fault that it ends with; null where it answers. */
  readonly fault: FaultCode | null;
  /** What it answers: 0 says that what it tried had no effect, by its own account. */
  readonly verdict?: number;
  /** In the fault's message or the reason. */
  readonly says?: RegExp;
  readonly notes?: readonly string[];
  /** Decisions that must come out alike, one after the other. */
  readonly times?: number;
  /** What it may use; a little, where it is not said. */
  readonly steps?: number;
  /** The subject's name. */
  readonly subject?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Policies that must not even be linked. */
export interface RefusedCase {
  readonly name: string;
  readonly policy: string;
  readonly code: ErrorCode;
  readonly place?: string;
}

/** A policy that answers 0 where what it tried has failed, and -13 where it has not. */
export const contained = (name: string, attempt: string): HostileCase => ({
  name,
  policy: `let escaped = false;
  try { ${attempt} } catch (error) { if (error === undefined) return -13; }
  return escaped ? -13 : 0;`,
  fault: null,
  verdict: 0,
});

/**
 * A body that runs where JavaScript itself drops whatever is thrown: an error is on its way already. It then answers 0.
 */
export const dropped = (body: string): string =>
  `const it = { next: () => ({ done: false }), return() { ${body} return {}; }, [Symbol.iterator]() { return this; } };
  try { for (const x of it) throw 1; } catch {} return 0;`;
