import type { AttachmentConfig } from "../../config/config.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { PolicySource } from "../explorer/rewritten-policy.js";

/** An attachment with its policy. */
export interface PlacedPolicy {
  readonly attachment: AttachmentConfig;
  readonly policy: LinkedPolicy;
  readonly source: PolicySource;
  readonly hooks: readonly HookName[];
}
