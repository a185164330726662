import { describe, expect, it } from "vitest";
import type { HookName } from "../../../../src/hooks/catalogue.js";
import type { PlacedPolicies } from "../../../../src/prove/configuration/placed-policies.js";
import type { Exploration, Path } from "../../../../src/prove/explorer/exploration.js";
import { type Attempt, confirmBy } from "../../../../src/prove/witness/confirmed-path.js";
import { decisionDifference } from "../../../../src/prove/witness/decision-difference.js";
import { engineDecision } from "../../../../src/prove/witness/engine-decision.js";
import type { Input } from "../../../../src/prove/witness/input.js";
import { SymbolValues } from "../../../../src/prove/witness/symbol-values.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { randomInput } from "../../../support/prove.js";
import { withPolicies } from "../../../support/prove-configuration.js";

const seed = seedOf();
const INPUTS = Number(process.env.INPUTS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 50_000 : 30));
const HOOK = "bpf_prog_load" satisfies HookName;

const POLICIES = {
  "small.js":
    'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) =>\n  prog.insn_cnt > 100 ? deny("large") : 0;',
  "signed.js":
    'import { verify_program } from "countersign";\nexport const bpf_prog_load = (prog) => verify_program(prog, "platform");',
  "counts.js":
    'import { map_update } from "countersign";\nexport const bpf_prog_load = (prog) => map_update("counts", prog.name, 1);',
  "tier.js": "export const bpf_prog_load = (prog, { container }) => (container.labels.tier === prog.type ? -7 : 0);",
};

const KEY =
  "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

/** Attachments and defaults, with every way in which a scope tests a task. */
const CONFIGURATIONS: Readonly<Record<string, string>> = {
  "the first denial": "attachments: [{ policy: small.js }, { policy: signed.js }]",
  "an attachment in audit": "attachments: [{ policy: small.js, mode: audit }, { policy: signed.js }]",
  "one attachment that writes": `maps: { counts: { writable: { entries: 9, bytes: 4KiB }, writers: [counts] } }
attachments: [{ policy: counts.js, scope: { uid: [0, 1000-1999] } }]`,
  "a dry run": "mode: audit\nattachments: [{ policy: small.js }]",
  "a fault that denies": "attachments: [{ policy: tier.js }, { policy: small.js }]",
  "a fault that allows": "attachments: [{ policy: tier.js, on_fault: allow }]",
  "a fault that allows, and a default":
    "default: { bpf_prog_load: deny }\nattachments: [{ policy: tier.js, on_fault: allow, scope: { uid: [0, 1000-1999] } }]",
  "a default of audit":
    "default: { bpf_prog_load: audit }\nattachments: [{ policy: small.js, scope: { container: false } }]",
  labels: `default: { bpf_prog_load: deny }
attachments: [{ policy: small.js, scope: { labels: "tier in (edge, a), !app, net" } }, { policy: signed.js, scope: { labels: "tier!=edge" } }]`,
  "names and paths": `default: { bpf_prog_load: deny }
attachments:
  - { policy: small.js, scope: { exe: ["/usr/bin/*", "a"], comm: ["edge", "b?f*"] } }
  - { policy: signed.js, scope: { container: ["web*", "a"] } }
  - { policy: tier.js, scope: { container: true } }`,
};

function explored(policies: PlacedPolicies): Exploration {
  return policies.explore(HOOK, { paths: 2_000, timeout: 600_000 });
}

function tried(policies: PlacedPolicies, { end }: Path, input: Input, values: SymbolValues): Attempt {
  const decision = engineDecision(policies, HOOK, input);
  const outcomes = decision.outcomes.values();
  if (end.kind !== "decision") return { outcomes, differs: `it ends with ${JSON.stringify(end)}` };
  return { outcomes, differs: decisionDifference(end, values, decision) };
}

describe(`the decisions of a configuration (seed ${seed})`, () => {
  it.each(Object.entries(CONFIGURATIONS))("with %s are those of the engine", { tags: ["deep"] }, (_, text) => {
    const yaml = `version: 1\nkeyrings: { platform: { trust: [key.pem] } }\n${text}\n`;
    withPolicies({ ...POLICIES, "key.pem": KEY, "countersign.yaml": yaml }, (policies) => {
      const exploration = explored(policies);
      expect(exploration.unfinished).toBeNull();
      expect(exploration.paths.length).toBeGreaterThan(1);
      for (const path of exploration.paths) {
        const confirmation = confirmBy(path, exploration, (input, values) => tried(policies, path, input, values));
        expect([confirmation.status, path]).toEqual(["confirmed", path]);
      }
      const next = numbers(seed);
      for (let round = 0; round < INPUTS; round++) {
        const input = randomInput(exploration, next);
        const values = new SymbolValues(input, exploration.knowledge);
        const own = exploration.paths.filter(({ conditions }) => values.satisfy(conditions));
        expect([own.length, round]).toEqual([1, round]);
        expect(tried(policies, own[0]!, input, values).differs).toBeNull();
      }
    });
  });

  it("are not decided where one of several attachments writes", () => {
    const yaml =
      "version: 1\nmaps: { counts: { writable: { entries: 9, bytes: 4KiB }, writers: [counts] } }\n" +
      "attachments: [{ policy: counts.js }, { policy: small.js }]\n";
    withPolicies({ ...POLICIES, "countersign.yaml": yaml }, (policies) => {
      const ends = explored(policies).paths.map(({ end }) => end);
      expect(ends).toEqual([expect.objectContaining({ kind: "not decided", why: "a write to a map" })]);
    });
  });

  it("does not decide the order of labels", () => {
    const yaml = 'version: 1\nattachments: [{ policy: small.js, scope: { labels: "priority>5" } }]\n';
    withPolicies({ ...POLICIES, "countersign.yaml": yaml }, (policies) => {
      const ends = explored(policies).paths.map(({ end }) => end);
      expect(ends).toContainEqual(
        expect.objectContaining({ kind: "not decided", why: "the label `priority` as a number in a scope" }),
      );
    });
  });
});
