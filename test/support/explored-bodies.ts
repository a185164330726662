/** Hooks with a given body, explored and compared with the engine. */
import type { PathEnd } from "../../src/prove/shared/atom.js";
import { numbers } from "./damage.js";
import { policyWithBody } from "./hostile-bodies.js";
import { type ExploredPolicy, randomInput } from "./prove.js";

/** How the paths of a hook with this body end: see {@link comparedEnds}. */
export function endsOfBody(body: string, seed = 1, inputs = 3): readonly unknown[] {
  return comparedEnds(policyWithBody(body), seed, inputs);
}

/**
 * How the paths of a policy end: a verdict, or which other end it is, such as `not decided`. Throws if the engine
 * decides in another way for the example of a path or for an input drawn by chance.
 */
export function comparedEnds(policy: ExploredPolicy, seed = 1, inputs = 3): readonly unknown[] {
  try {
    const exploration = policy.explore("bpf_prog_load");
    for (const one of policy.confirmations(exploration))
      if (one.wrong !== null) throw new Error(`${one.wrong}: ${JSON.stringify(one.path)}`);
    const next = numbers(seed);
    for (let round = 0; exploration.unfinished === null && round < inputs; round++) {
      const flaw = policy.flaw(exploration, randomInput(exploration, next));
      if (flaw !== null) throw new Error(`${flaw} (round ${round}, seed ${seed})`);
    }
    return exploration.paths.map(({ end }) => endOf(end));
  } finally {
    policy.close();
  }
}

function endOf(end: PathEnd): unknown {
  return end.kind === "verdict" ? end.verdict : end.kind;
}
