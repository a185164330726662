/** Policies whose hook returns the number of the first condition that is true, compared with the engine. */
import { expect } from "vitest";
import type { PathEnd } from "../../src/prove/shared/atom.js";
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
  for (const one of confirmations) expect(one.wrong === null ? null : { conditions, one }, `seed ${seed}`).toBeNull();
  const next = numbers(seed);
  for (let round = 0; round < inputs; round++) {
    const flaw = policy.flaw(exploration, randomInput(exploration, next, { texts, numbers: [] }));
    expect(flaw === null ? null : `${conditions.join("; ")}: ${flaw} (round ${round}, seed ${seed})`).toBeNull();
  }
  policy.close();
  return confirmations;
}

/** The end of each path of one condition: its verdict, or which other end it has, such as `not decided`. */
export function endsOf(condition: string, its: Comparison): readonly unknown[] {
  return exploredConditions([condition], its).map(({ path: { end } }) => endOf(end));
}

/** The same; fails unless the engine confirms an example of each path. */
export function confirmedEnds(condition: string, its: Comparison): readonly unknown[] {
  return exploredConditions([condition], its).map(({ status, path }) => {
    expect(status === "confirmed" ? null : { condition, path }).toBeNull();
    return endOf(path.end);
  });
}

function endOf(end: PathEnd): unknown {
  return end.kind === "verdict" ? end.verdict : end.kind;
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
