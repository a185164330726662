/** Policies whose hook returns the number of the first condition that is true, compared with the engine. */
import { expect } from "vitest";
import { numbers } from "./damage.js";
import { ExploredPolicy, randomInput } from "./prove.js";

export interface Comparison {
  readonly seed: number;
  /** Inputs drawn by chance. */
  readonly inputs: number;
  /** Texts from which facts are drawn. */
  readonly texts: readonly string[];
}

/** The confirmations of all paths; fails if the engine gives another answer for an example or for a random input. */
export function exploredConditions(conditions: readonly string[], { seed, inputs, texts }: Comparison) {
  const policy = ExploredPolicy.of(`
    import { map_lookup } from "countersign";
    export function bpf_prog_load(prog, current) {
      ${conditions.map((condition, index) => `if (${condition}) return -${index + 1};`).join("\n      ")}
      return 0;
    }`);
  const exploration = policy.explore("bpf_prog_load");
  expect(exploration.unfinished).toBeNull();
  const confirmations = policy.confirmations(exploration);
  for (const one of confirmations)
    expect(one.status === "contradicted" ? { conditions, one } : null, `seed ${seed}`).toBeNull();
  const next = numbers(seed);
  for (let round = 0; round < inputs; round++) {
    const flaw = policy.flaw(exploration, randomInput(exploration, next, { texts, numbers: [] }));
    expect(flaw === null ? null : `${conditions.join("; ")}: ${flaw} (round ${round}, seed ${seed})`).toBeNull();
  }
  policy.close();
  return confirmations;
}

/** How many paths of policies with conditions drawn by chance there are, and how many of them are decided. */
export function randomPolicies(count: number, draw: (next: (below: number) => number) => string, its: Comparison) {
  let [decided, all] = [0, 0];
  for (let round = 0; round < count; round++) {
    const seed = (its.seed + Math.imul(round, 0x9e3779b1)) >>> 0;
    const next = numbers(seed);
    const conditions = Array.from({ length: 1 + next(3) }, () => draw(next));
    const confirmations = exploredConditions(conditions, { ...its, seed });
    all += confirmations.length;
    decided += confirmations.filter(({ status, path: { end } }) => {
      return status === "confirmed" && end.kind !== "not decided";
    }).length;
  }
  return { decided, all };
}
