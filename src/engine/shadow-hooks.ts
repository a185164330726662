import type { Config } from "../config/config.js";
import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";

/** Hooks that a gate asks about only if its configuration serves them. At its other hooks it always decides. */
const ASKED_IF_SERVED: readonly HookName[] = ["bpf_prog", "bpf_map", "bpf", "bpf_token_create"];

/** The hooks of a shadow that the enforced configuration must serve. */
export function hooksToServe(shadow: { serves(hook: HookName): boolean }): readonly HookName[] {
  return ASKED_IF_SERVED.filter((hook) => shadow.serves(hook));
}

/**
 * Throws CONFIG_INVALID if the shadow has a hook that the configuration does not serve. The gate takes other actions at
 * a hook that is served, so that a shadow cannot have it served: it would change what is enforced.
 */
export function requireServed(
  { shadowFile }: Config,
  engine: { serves(hook: HookName): boolean },
  hooks: readonly HookName[],
): void {
  const missing = hooks.filter((hook) => !engine.serves(hook)).join(", ");
  if (missing === "" || shadowFile === null) return;
  throw new CountersignError(
    "CONFIG_INVALID",
    `the shadow \`${shadowFile.file}\` decides at ${missing}, where this configuration has no policy and no default, ` +
      "so that the gate would never ask it",
    {
      place: shadowFile.place,
      remedy: `attach a policy to ${missing} here too; with \`mode: audit\` it denies nothing`,
    },
  );
}
