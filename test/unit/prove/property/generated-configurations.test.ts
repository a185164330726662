import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { flawOf, KEY } from "../../../support/prove-property.js";
import { randomPolicy } from "../../../support/random-policies.js";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const CONFIGURATIONS = Number(process.env.CONFIGURATIONS ?? (isLong ? 1_000 : 3));
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 200 : 25));
/** The short form has the same configurations each time: some that are drawn take minutes. */
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 12345;

const SCOPES = [
  "{}",
  "{ container: true }",
  "{ container: false }",
  "{ uid: [0, 1000-4096] }",
  '{ labels: "tier in (edge, a), !app" }',
  '{ labels: "tier!=edge,net" }',
  '{ exe: ["a", "/usr/**"], comm: ["*"] }',
  '{ container: ["edge*", "a"] }',
];

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

/** The texts of a configuration with two policies drawn by chance. */
function randomFiles(next: (below: number) => number): Readonly<Record<string, string>> {
  const pick = (of: readonly string[]) => of[next(of.length)]!;
  const attachments = ["one.js", "two.js"].map((policy) => {
    const [mode, fault] = [pick(["enforce", "enforce", "audit"]), pick(["deny", "allow"])];
    return `  - { policy: ${policy}, mode: ${mode}, on_fault: ${fault}, scope: ${pick(SCOPES)} }`;
  });
  const maps = ["debug_read_only", "allowed_programs", "container_policy", "program_budget"].map(
    (name) => `  ${name}: { writable: { entries: 10, bytes: 1KiB } }`,
  );
  const yaml = [
    "version: 1",
    `mode: ${pick(["enforce", "enforce", "audit"])}`,
    `default: { bpf_prog_load: ${pick(["allow", "deny", "audit"])} }`,
    "keyrings: { platform: { trust: [key.pem] }, network: { trust: [key.pem] } }",
    `maps:\n${maps.join("\n")}`,
    `attachments:\n${attachments.join("\n")}`,
  ];
  const [one, two] = [randomPolicy(next), randomPolicy(next)];
  return { "one.js": one, "two.js": two, "key.pem": KEY, "countersign.yaml": `${yaml.join("\n")}\n` };
}

describe(`configurations drawn by chance (seed ${seed})`, () => {
  it("have one path for each input, with the truth of a property for the engine's decision", () => {
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
  }, 36_000_000);
});
