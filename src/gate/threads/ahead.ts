import type { Config } from "../../config/config.js";
import { Engine } from "../../engine/engine.js";
import { Wardrobe } from "../sys/credentials.js";
import { NO_POLICIES, rehearsalWith } from "./rehearsal.js";

/**
 * Does once what every decision thread does as it starts, with one policy: for a build, which keeps what V8 has compiled by
 * then, so that no gate need compile it again.
 */
export async function compileAhead(policy: string): Promise<void> {
  const engine = await Engine.open(configOf(policy));
  engine.prepare();
  for (const _ of rehearsalWith(engine, new Wardrobe()));
  engine.close();
}

function configOf(policy: string): Config {
  const place = "build";
  return {
    ...NO_POLICIES,
    attachments: [
      {
        ...{ name: place, place, policy, hooks: null, mode: "enforce", scope: {} },
        ...{ limits: LIMITS, domain: place, onFault: "deny", delegate: false, freeze: false },
      },
    ],
  };
}

const LIMITS = { steps: 1000, memory: 2 ** 23, stack: 2 ** 17, timeout: 1000 };
