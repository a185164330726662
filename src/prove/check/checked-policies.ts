import type { Config } from "../../config/config.js";
import { type LoadedAttachment, LoadedAttachments } from "../witness/loaded-attachments.js";
import { type EvaluatedPolicy, evaluatedPolicy } from "./evaluate.js";

/** Policies that the engine asks, and that are evaluated here. */
export class CheckedPolicies extends LoadedAttachments {
  readonly #evaluated: ReadonlyMap<LoadedAttachment, EvaluatedPolicy>;

  /** Throws what an engine's start throws about policies, and PROOF_UNSUPPORTED. */
  constructor(config: Config) {
    super(config);
    this.#evaluated = new Map(this.placed.map((one) => [one, evaluatedPolicy(one.source)]));
  }

  /** What is evaluated of an attachment's policy. */
  evaluated(one: LoadedAttachment): EvaluatedPolicy {
    return this.#evaluated.get(one)!;
  }
}
