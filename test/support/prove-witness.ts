/** Paths of policies that are made real in a folder. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config/config.js";
import type { HookName } from "../../src/hooks/catalogue.js";
import { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";
import { makeReal, type RealWitness } from "../../src/prove/real/real-witness.js";
import { confirmBy } from "../../src/prove/witness/confirmed-path.js";
import { decisionDifference } from "../../src/prove/witness/decision-difference.js";
import { engineDecision } from "../../src/prove/witness/engine-decision.js";
import { Example } from "../../src/prove/witness/example.js";

/** What became of one path: `same` verdict of `check`, another one, or conditions that no file satisfies. */
export interface RealPath {
  readonly outcome: "same" | "different" | "not made";
  readonly witness: RealWitness;
}

/** Makes an example of each decided path at a hook real. */
export async function realPaths(config: string, hook: HookName): Promise<readonly RealPath[]> {
  const policies = new PlacedPolicies(readConfig(config, "check"));
  const found: RealPath[] = [];
  for (const example of examplesOf(policies, hook)) {
    const folder = mkdtempSync(join(tmpdir(), "countersign-witness-"));
    const witness = await makeReal(example, [{ name: "countersign.yaml", policies }], folder);
    const same = witness.checked.length > 0 && witness.checked.every(({ isSame }) => isSame);
    found.push({ outcome: witness.checked.length === 0 ? "not made" : same ? "same" : "different", witness });
    rmSync(folder, { recursive: true });
  }
  policies.close();
  return found;
}

/** An example of each path that is decided. */
export function examplesOf(policies: PlacedPolicies, hook: HookName): readonly Example[] {
  const exploration = policies.explore(hook, { paths: 2_000, timeout: 600_000 });
  return exploration.paths.flatMap((path) => {
    const { end } = path;
    if (end.kind !== "decision") return [];
    const confirmation = confirmBy(path, exploration, (input, values) => {
      const decision = engineDecision(policies, hook, input);
      return { outcomes: decision.outcomes.values(), differs: decisionDifference(end, values, decision) };
    });
    return confirmation.status === "confirmed" ? [new Example(path, confirmation.input, exploration)] : [];
  });
}
