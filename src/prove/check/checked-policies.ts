import type { Config } from "../../config/config.js";
import { FileCache } from "../../engine/load/file-cache.js";
import { Loader } from "../../engine/load/loader.js";
import type { HookName } from "../../hooks/catalogue.js";
import { Domain } from "../../policy/domain.js";
import type { AskedAttachment, AskedConfiguration } from "../witness/engine-decision.js";
import { type EvaluatedPolicy, evaluatedPolicy } from "./evaluate.js";
import type { Names } from "./path.js";

/** An attachment with its policy: as the engine runs it, and as it is evaluated here. */
export interface CheckedPolicy extends AskedAttachment {
  readonly evaluated: EvaluatedPolicy;
}

/** The attachments of a configuration, and a sandbox in which the engine asks them. */
export class CheckedPolicies implements AskedConfiguration {
  readonly placed: readonly CheckedPolicy[];
  readonly names: Names;
  readonly domain: Domain;

  /** Throws what an engine's start throws about policies. */
  constructor(readonly config: Config) {
    const loader = new Loader(config, new FileCache(null));
    this.names = { keyrings: config.keyrings.map(({ name }) => name), maps: config.maps.map(({ name }) => name) };
    this.placed = config.attachments.map((attachment) => {
      const policy = loader.policy(attachment);
      const hooks = attachment.hooks ?? (policy.hooks as readonly HookName[]);
      return { attachment, policy, hooks, evaluated: evaluatedPolicy(loader.source(attachment.policy)) };
    });
    this.domain = new Domain({ keyrings: this.names.keyrings, asksHost: true });
  }

  /** The attachments at a hook. */
  at(hook: HookName): readonly CheckedPolicy[] {
    return this.placed.filter(({ hooks }) => hooks.includes(hook));
  }

  close(): void {
    this.domain.close();
  }
}
