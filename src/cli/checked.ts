import type { CountersignError } from "../error.js";
import type { Decision } from "../hooks/decision.js";

/** What came of one file: decisions, or the error for which there are none. */
export interface Checked {
  readonly file: string;
  readonly decisions: readonly Decision[];
  readonly error: CountersignError | null;
}
