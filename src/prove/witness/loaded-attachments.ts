import type { Config } from "../../config/config.js";
import { FileCache } from "../../engine/load/file-cache.js";
import { Loader, type PolicyFiles } from "../../engine/load/loader.js";
import type { HookName } from "../../hooks/catalogue.js";
import { Domain } from "../../policy/domain.js";
import type { AskedAttachment, AskedConfiguration } from "./engine-decision.js";
import { knownMaps } from "./known-contents.js";

/** An attachment of a configuration, with its linked policy and that policy's source files. */
export interface LoadedAttachment extends AskedAttachment {
  readonly source: PolicyFiles;
}

/** The attachments of a configuration, loaded, and a sandbox in which the engine asks their policies. */
export class LoadedAttachments implements AskedConfiguration {
  readonly placed: readonly LoadedAttachment[];
  readonly names: AskedConfiguration["names"];
  readonly domain: Domain;

  /**
   * With `hasContents`, entries of small maps that no policy can write to are known. Throws what an engine's start
   * throws about policies, and about such maps.
   */
  constructor(
    readonly config: Config,
    hasContents = false,
  ) {
    const loader = new Loader(config, new FileCache(null));
    this.names = {
      keyrings: config.keyrings.map(({ name }) => name),
      maps: config.maps.map(({ name }) => name),
      known: knownMaps(config.maps, hasContents),
    };
    this.placed = config.attachments.map((attachment) => {
      const policy = loader.policy(attachment);
      const source = loader.source(attachment.policy);
      return { attachment, policy, source, hooks: attachment.hooks ?? (policy.hooks as readonly HookName[]) };
    });
    this.domain = new Domain({ keyrings: this.names.keyrings, asksHost: true });
  }

  /** The hooks with an attachment. */
  get hooks(): readonly HookName[] {
    return [...new Set(this.placed.flatMap(({ hooks }) => hooks))];
  }

  /** The attachments at a hook. */
  at(hook: HookName): readonly LoadedAttachment[] {
    return this.placed.filter(({ hooks }) => hooks.includes(hook));
  }

  close(): void {
    this.domain.close();
  }
}
