import type { Config } from "../../config/config.js";
import { hasContents, type KnownMaps } from "../shared/known-maps.js";
import { type LoadedAttachment, LoadedAttachments } from "../witness/loaded-attachments.js";
import { type EvaluatedPolicy, evaluatedPolicy } from "./evaluate.js";

/** Policies that the engine asks, and that are evaluated here. */
export class CheckedPolicies extends LoadedAttachments {
  readonly #evaluated: ReadonlyMap<LoadedAttachment, EvaluatedPolicy>;

  /**
   * `maps` is what a certificate says of maps, which have contents if any of these has. Throws what an engine's start
   * throws about policies, and PROOF_UNSUPPORTED.
   */
  constructor(config: Config, maps: KnownMaps) {
    super(config, hasContents(maps));
    this.#evaluated = new Map(this.placed.map((one) => [one, evaluatedPolicy(one.source)]));
  }

  /** What is evaluated of an attachment's policy. */
  evaluated(one: LoadedAttachment): EvaluatedPolicy {
    return this.#evaluated.get(one)!;
  }
}
