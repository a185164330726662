import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { flawOf } from "../../../support/prove-property.js";
import { randomFiles } from "../../../support/random-configurations.js";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const CONFIGURATIONS = Number(process.env.CONFIGURATIONS ?? (isLong ? 1_000 : 3));
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 200 : 25));
/** The short form has the same configurations each time: some that are drawn take minutes. */
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 1;

const PROPERTIES = [
  "decision.verdict === 0 || decision.attachment !== null",
  "decision.answers.every((one) => one.fault === null)",
  "verified(prog) || decision.enforced_verdict !== 0",
  "decision.answers.length < 2 || decision.answers[0].verdict === decision.answers[1].verdict",
  'decide(prog, current, { mode: "audit" }).enforced_verdict === decision.enforced_verdict',
  "decide(prog, change(current, { uid: 0 })).enforced_verdict !== 0 || decision.enforced_verdict === 0",
  `current.container === null || decision.enforced_verdict === 0 || decide(prog,
     change(current, { container: change(current.container, { labels: null }) })).enforced_verdict !== 0`,
  "decide(prog, change(current, { container: null })).attachment === decision.attachment",
  `current.container === null || decide(prog, change(current, { comm: "edge", exe: "/usr/a", container:
     change(current.container, { name: "edge1", labels: { tier: "edge" } }) })).reason === decision.reason`,
];

describe(`configurations drawn by chance (seed ${seed})`, () => {
  it("have one path for each input, with the truth of a property for the engine's decision", {
    tags: ["deep"],
    timeout: 36_000_000,
  }, () => {
    let taken = 0;
    for (let round = 0; round < CONFIGURATIONS; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      const files = randomFiles(next);
      const property = PROPERTIES[next(PROPERTIES.length)]!;
      let flaw: string | null;
      try {
        flaw = withPolicies(files, (policies) => flawOf(policies, property, seed + round, INPUTS, 300));
      } catch (error) {
        // Some generated texts are no policies
        if (/POLICY_|CONFIG_/.test(String((error as { code?: string }).code))) continue;
        throw error;
      }
      taken += 1;
      if (flaw !== null) expect.fail(`seed ${seed}, round ${round}: ${flaw}\n${property}\n${JSON.stringify(files)}`);
    }
    expect(taken).toBeGreaterThan(CONFIGURATIONS / 4);
    if (process.env.CONFIGURATIONS !== undefined) console.log({ taken });
  });
});
