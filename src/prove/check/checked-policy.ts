import { dirname, posix, resolve } from "node:path";
import type { AttachmentConfig, Config } from "../../config/config.js";
import { FileCache } from "../../engine/load/file-cache.js";
import { Loader } from "../../engine/load/loader.js";
import { MAX_POLICY, refuseLeaving } from "../../engine/load/policy-path.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Limits } from "../../policy/attachment.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { readUnits } from "../../policy/units/units.js";
import { type EvaluatedPolicy, evaluatedPolicy } from "./evaluate.js";

/** The policy of an attachment: as the engine runs it, and as it is evaluated here. */
export interface CheckedPolicy {
  readonly attachment: string;
  readonly hooks: readonly HookName[];
  readonly linked: LinkedPolicy;
  readonly evaluated: EvaluatedPolicy;
  readonly limits: Limits;
}

/** The policies of a configuration's attachments. Throws what an engine's start throws about policies. */
export function checkedPolicies(config: Config): readonly CheckedPolicy[] {
  const files = new FileCache(null);
  const loader = new Loader(config, files);
  return config.attachments.map((attachment) => {
    const linked = loader.policy(attachment);
    return {
      attachment: attachment.name,
      hooks: attachment.hooks ?? (linked.hooks as readonly HookName[]),
      linked,
      evaluated: evaluatedPolicy(unitsOf(config, attachment, linked, files)),
      limits: attachment.limits,
    };
  });
}

function unitsOf(config: Config, { policy }: AttachmentConfig, { file }: LinkedPolicy, files: FileCache) {
  const read = (name: string) => {
    const path = resolve(dirname(resolve(config.file)), name);
    return files.text(path, MAX_POLICY, () => {
      if (name !== file) refuseLeaving(dirname(policy), path, name);
    });
  };
  return readUnits(file, { read, root: posix.dirname(file) }, new LinkTime(file));
}
