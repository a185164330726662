import type { Config } from "../../config/config.js";
import { Engine } from "../../engine/decision/engine.js";
import type { EngineOptions } from "../../engine/decision/engine-options.js";
import { requireEnforced } from "../../engine/enforced-hooks.js";
import { requireServed } from "../../engine/shadow-hooks.js";
import { fastestFilter, requireNotified } from "../call/fast-filters.js";
import type { Listener } from "../call/listener.js";
import type { ShadowLink } from "../messages/shadow-messages.js";

/**
 * Opens the engine of a decision thread. Throws HOOK_NOT_ENFORCED if an attachment has a hook that the gate does not
 * enforce, or if the filter of a listener does not notify the gate of all calls that the configuration decides on;
 * CONFIG_INVALID if the shadow would not be asked; and the errors of {@link Engine.open}.
 */
export async function openGateEngine(
  listeners: Iterable<Listener>,
  config: Config,
  shadow: ShadowLink | null,
  options: EngineOptions,
): Promise<Engine> {
  const engine = await Engine.open(config, options);
  try {
    requireServed(config, engine, shadow?.hooks ?? []);
    requireEnforced(config, engine.attached());
    requireNotified(fastestFilter(engine), listeners);
    return engine;
  } catch (error) {
    engine.close();
    throw error;
  }
}
