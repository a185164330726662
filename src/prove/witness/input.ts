import type { Current } from "../../policy/model/current.js";
import type { Origin } from "../shared/atom.js";

/** Everything that one decision depends on. */
export interface Input {
  readonly subject: object;
  readonly current: Current;
  /**
   * What a helper answers: a verdict, a text, an object or null; for a look-up the value, or undefined. A look-up gets
   * its key as `key`.
   */
  answer(origin: Origin, key: string | null): unknown;
}
