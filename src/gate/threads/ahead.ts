import type { Config } from "../../config/config.js";
import { Engine } from "../../engine/engine.js";
import { Wardrobe } from "../sys/credentials.js";
import { rehearse } from "./rehearsal.js";

/**
 * Does once what every decision thread does as it starts, with one policy: for a build, which keeps what V8 has compiled by
 * then, so that no gate need compile it again.
 */
export async function compileAhead(policy: string): Promise<void> {
  const engine = await Engine.open(configOf(policy));
  engine.prepare();
  const { facts, current } = rehearse(new Wardrobe());
  const subject = { ...facts, signature: null, kernel_signature: null, kernel_keyring: null, object: null };
  if (current !== null)
    engine.decide({ hook: "bpf_prog_load", subject: { ...subject, loaded: null, rewritten: false }, current });
  engine.close();
}

function configOf(policy: string): Config {
  const place = "build";
  return {
    file: policy,
    mode: "enforce",
    default: { bpf_prog_load: "allow" } as Config["default"],
    keyrings: [],
    maps: [],
    attachments: [
      {
        ...{ name: place, place, policy, hooks: null, mode: "enforce", scope: {} },
        ...{ limits: LIMITS, domain: place, onFault: "refuse", delegate: false, freeze: false },
      },
    ],
    signatures: [],
    log: null,
    gate: { existing: "refuse", rewritten: "refuse", loaderRuns: "refuse", keyrings: {}, mapMemory: 0, stall: 0 },
  };
}

const LIMITS = { fuel: 1000, memory: 2 ** 23, stack: 2 ** 17, wall: 1000 };
