import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { HookName } from "../../../../src/hooks/catalogue.js";
import type { PlacedPolicies } from "../../../../src/prove/configuration/placed-policies.js";
import { engineDecision } from "../../../../src/prove/witness/engine-decision.js";
import { type Mutant, mutantsOf } from "../../../../src/workbench/mutation/mutants.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { constantsIn, randomInput } from "../../../support/prove.js";
import { compare, type Files, withTwo } from "../../../support/prove-compare.js";
import { KEY } from "../../../support/prove-property.js";

const FOLDER = join(import.meta.dirname, "../../../../policies");
const POLICIES = readdirSync(FOLDER).filter((name) => /^[\w-]+\.(js|ts)$/.test(name) && !name.includes(".test."));
const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
/** One of so many mutants is compared. */
const STEP = Number(process.env.STEP ?? (isLong ? 1 : 30));
/** Inputs for each mutant that is equal. */
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 100_000 : 300));
/** The short form compares the same mutants each time, with the same inputs. */
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 1;

const CONFIGURATION = (policy: string) => `version: 1
keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }
maps:
${["debug_read_only", "allowed_programs", "container_policy", "program_budget"].map((map) => `  ${map}: { writable: { entries: 10, bytes: 1KiB } }`).join("\n")}
attachments: [{ policy: ${policy} }]
`;

const filesOf = (policy: string, text: string): Files => ({
  [policy]: text,
  "key.pem": KEY,
  "countersign.yaml": CONFIGURATION(policy),
});

const MUTANTS = POLICIES.flatMap((policy) => {
  const text = readFileSync(join(FOLDER, policy), "utf8");
  return mutantsOf(policy, text).map((mutant) => ({ policy, text, mutant }));
}).filter((_, index) => index % STEP === 0);

const taken = { mutants: 0, rejected: 0, hooks: 0, differs: 0, equal: 0, "not decided": 0, inputs: 0 };

describe(`mutants of the shipped policies, one of ${STEP} (seed ${seed})`, () => {
  it.each(MUTANTS)("$mutant.place: $mutant.from -> $mutant.to", { tags: ["deep"] }, ({ policy, text, mutant }) => {
    taken.mutants += 1;
    const act = (old: PlacedPolicies, its: PlacedPolicies) => {
      for (const hook of old.hooks) expectRight(old, its, hook, [text, mutant.text], mutant);
    };
    try {
      withTwo(filesOf(policy, text), filesOf(policy, mutant.text), act);
    } catch (error) {
      // Some mutants are no policies
      if (!/^POLICY_/.test(String((error as { code?: string }).code))) throw error;
      taken.rejected += 1;
    }
  });

  it("are compared", { tags: ["deep"] }, () => {
    expect(taken.differs).toBeGreaterThan(taken.mutants / 4);
    expect(taken.rejected).toBeLessThan(taken.mutants / 4);
    if (isLong || process.env.STEP !== undefined) console.log(taken);
  });
});

/** A difference has an example that the engine decided; of a mutant that is equal, no input shows one. */
function expectRight(
  old: PlacedPolicies,
  its: PlacedPolicies,
  hook: HookName,
  texts: readonly string[],
  { place, from, to }: Mutant,
): void {
  const { answer, differences, doubts } = compare(old, its, { hook, comparesReasons: false, paths: 2_000 });
  const what = `${place}: ${from} -> ${to}: ${JSON.stringify(doubts)}`;
  taken.hooks += 1;
  taken[answer] += 1;
  if (doubts.some(({ contradicted }) => contradicted)) expect.fail(what);
  if (answer === "differs") expect(differences.length).toBeGreaterThan(0);
  if (answer !== "equal") return;
  const exploration = old.exploreWith(its, hook, { paths: 2_000, timeout: 600_000 }, { definesTheSame: true });
  const next = numbers(seed);
  const constants = constantsIn(...texts);
  for (let round = 0; round < INPUTS; round++) {
    const input = randomInput(exploration, next, constants);
    const [one, other] = [old, its].map((policies) => engineDecision(policies, hook, input).result.enforced_verdict);
    if (one !== other) expect.fail(`${what}: ${one}, ${other} (round ${round}, seed ${seed})`);
    taken.inputs += 1;
  }
}
