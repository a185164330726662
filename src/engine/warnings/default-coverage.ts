import type { Config } from "../../config/config.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import type { Warning } from "../../warning.js";

/**
 * Warns of each hook whose default is `deny` and which no attachment without a scope enforces: the default denies tasks
 * outside every scope, whatever attachments in audit return. `hooksOf` has the hooks of each attachment, by its number.
 */
export function defaultWarnings(config: Config, hooksOf: readonly ReadonlySet<string>[]): Warning[] {
  return HOOK_NAMES.filter((hook) => config.default[hook] === "deny").flatMap((hook) => {
    const enforcing = config.attachments.filter(({ mode }, number) => mode === "enforce" && hooksOf[number]?.has(hook));
    if (enforcing.some(({ scope }) => Object.values(scope).every((rule) => rule === undefined))) return [];
    return [warningOf(config, hook, enforcing.length)];
  });
}

function warningOf({ file }: Config, hook: HookName, enforcing: number): Warning {
  const why =
    enforcing === 0
      ? `no attachment enforces ${hook}: its default denies every operation`
      : `each attachment that enforces ${hook} has a scope: its default denies tasks outside these scopes`;
  return {
    code: "DEFAULT_NOT_COVERED",
    message: why,
    place: file,
    remedy:
      "enforce an attachment without a scope, or set the default to `audit`, which allows and records a denial, or " +
      "to `allow`",
  };
}
