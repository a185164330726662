/** Two configurations that are compared in tests, each in a folder of its own. */
import type { HookName } from "../../src/hooks/catalogue.js";
import { type ComparisonAnswer, compareDecisions } from "../../src/prove/compare/comparison.js";
import { DefinitionChanges } from "../../src/prove/compare/definition-changes.js";
import type { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";
import type { Path } from "../../src/prove/explorer/exploration.js";
import { decisionDifference } from "../../src/prove/witness/decision-difference.js";
import { engineDecision } from "../../src/prove/witness/engine-decision.js";
import { SymbolValues } from "../../src/prove/witness/symbol-values.js";
import { numbers } from "./damage.js";
import { randomInput } from "./prove.js";
import { withPolicies } from "./prove-configuration.js";

const HOOK = "bpf_prog_load" satisfies HookName;
const BOUNDS = { paths: 2_000, timeout: 600_000 };

export type Files = Readonly<Record<string, string>>;

/** Runs with the policies of two configurations. */
export function withTwo<T>(old: Files, its: Files, act: (old: PlacedPolicies, its: PlacedPolicies) => T): T {
  return withPolicies(old, (one) => withPolicies(its, (other) => act(one, other)));
}

/** The answer for two configurations at a hook. */
export function comparisonOf(
  old: Files,
  its: Files,
  { hook = HOOK, comparesReasons = false, paths = BOUNDS.paths }: Partial<typeof DEFAULTS> = {},
): ComparisonAnswer {
  return withTwo(old, its, (one, other) => compare(one, other, { hook, comparesReasons, paths }));
}

const DEFAULTS = { hook: HOOK as HookName, comparesReasons: false, paths: BOUNDS.paths };

export function compare(
  old: PlacedPolicies,
  its: PlacedPolicies,
  { hook, comparesReasons, paths }: typeof DEFAULTS = DEFAULTS,
): ComparisonAnswer {
  const changes = new DefinitionChanges(old, its);
  return compareDecisions(old, its, hook, changes, { bounds: { ...BOUNDS, paths }, comparesReasons });
}

/**
 * What is wrong with the paths of a comparison for inputs drawn by chance, from the constants of both policies and
 * their neighbours; null if nothing is. Each input is on one path, which has the engine's decisions by both.
 */
export function comparisonFlaw(old: Files, its: Files, seed: number, inputs: number): string | null {
  return withTwo(old, its, (one, other) => {
    const exploration = one.exploreWith(other, HOOK, BOUNDS, { definesTheSame: true });
    const next = numbers(seed);
    for (let round = 0; round < inputs; round++) {
      const input = randomInput(exploration, next);
      const values = new SymbolValues(input, exploration.knowledge);
      const own = exploration.paths.filter(({ conditions }) => values.satisfy(conditions));
      if (own.length !== 1) return `it is on ${own.length} paths (round ${round})`;
      const flaw = flawAt(own[0]!, values, engineDecision(one, HOOK, input), engineDecision(other, HOOK, input));
      if (flaw !== null) return `${flaw} (round ${round}): ${JSON.stringify(own[0])}`;
    }
    return null;
  });
}

type Decision = ReturnType<typeof engineDecision>;

function flawAt({ end }: Path, values: SymbolValues, old: Decision, its: Decision): string | null {
  if (end.kind === "not decided") return null;
  if (end.kind !== "comparison") return `it ends with ${end.kind}`;
  const { enforced_verdict: verdict } = its.result;
  if (end.decisions === null) return verdict === old.result.enforced_verdict ? null : "the verdicts differ";
  return decisionDifference(end.decisions.old, values, old) ?? decisionDifference(end.decisions.new, values, its);
}
