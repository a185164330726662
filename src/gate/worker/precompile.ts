import type { Config } from "../../config/config.js";
import { Engine } from "../../engine/decision/engine.js";
import { Impersonator } from "../../sys/credentials.js";
import { NO_POLICIES, noOwnObjects, nothingLearnt, warmUpWith } from "./warm-up.js";

/**
 * Runs the start and the warm-up of a decision thread once, with one policy. The build then stores V8's code cache, so
 * that a gate does not have to compile this code at its start. It does not call bpf(2): a build must not depend on what
 * the kernel answers, and never returns from a kernel in which BPF programs wait for ever.
 */
export async function precompile(policy: string): Promise<void> {
  const engine = await Engine.open(configOf(policy));
  const learnt = nothingLearnt();
  for (const _ of warmUpWith(engine, new Impersonator(), learnt, noOwnObjects));
  engine.prepare(learnt.examples);
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
