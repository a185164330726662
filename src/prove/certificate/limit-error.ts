import { CountersignError, type ErrorDetail } from "../../error.js";
import type { LimitName, ReachedLimit } from "../shared/reached-limit.js";

/** No certificate can be made because the exploration reached a limit. */
export class LimitError extends CountersignError {
  readonly limit: LimitName;

  constructor({ limit, words }: ReachedLimit, name: string, detail: ErrorDetail) {
    super("PROOF_UNSUPPORTED", `no certificate can be made of ${name}: ${words}`, detail);
    this.limit = limit;
  }
}
