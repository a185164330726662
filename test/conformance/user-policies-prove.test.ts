// @module-tag deep
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config/config.js";
import { PlacedPolicies } from "../../src/prove/configuration/placed-policies.js";
import { explore } from "../../src/prove/explorer/exploration.js";
import { doubtOf } from "../../src/prove/table/decision-table.js";
import { confirm, difference, doubtFrom } from "../../src/prove/witness/confirmed-path.js";
import { engineAnswer } from "../../src/prove/witness/engine-answer.js";
import type { Input } from "../../src/prove/witness/input.js";
import { SymbolValues } from "../../src/prove/witness/symbol-values.js";
import { numbers, seedOf } from "../support/damage.js";
import { constantsIn, randomInput } from "../support/prove.js";

const folder = fileURLToPath(new URL("fixtures/user-policies", import.meta.url));
const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 10_000 : 50));
const PATHS = isLong ? 3_000 : 500;
/** Of a policy that has too many paths to be explored to the end in the short form. */
const FEWER: Readonly<Record<string, number>> = isLong ? {} : { "cloud-baseline": 100 };
const seed = seedOf();

/** Policies of which something is not decided, each with one of its lines. docs/prove.md says what that can be. */
const NOT_DECIDED: Readonly<Record<string, string>> = {
  "canary-rollout": "policy.js:7: `Number.parseInt` with a value that is not known",
  "cloud-baseline": "lib/names.ts:12: `exec` of a regular expression",
};

describe.each(readdirSync(folder))("exploring %s", (name) => {
  const policies = new PlacedPolicies(readConfig(join(folder, name, "countersign.yaml"), "check"));
  const { names, domain } = policies;
  const hooks = policies.placed.flatMap((placed) => placed.hooks.map((hook) => ({ placed, hook })));

  it(`gives the engine's answers (seed ${seed})`, { timeout: isLong ? 36_000_000 : 600_000 }, () => {
    const doubts = hooks.flatMap(({ placed: { attachment, policy, source }, hook }) => {
      const bounds = { paths: FEWER[name] ?? PATHS, timeout: 90_000 };
      const exploration = explore(source, hook, names, attachment.limits, bounds);
      const limits = { ...attachment.limits, timeout: 10_000 };
      const ask = (input: Input) => engineAnswer(domain, policy, limits, hook, input, names);
      const reasons = exploration.paths.flatMap((path) => {
        const confirmation = confirm(path, exploration, ask);
        if (path.end.kind !== "not decided") expect([doubtFrom(confirmation), path]).toEqual([null, path]);
        const doubt = doubtOf(path.end, confirmation);
        return doubt === null ? [] : `${path.place}: ${doubt}`;
      });
      if (exploration.unfinished !== null) return [...reasons, exploration.unfinished.words];
      const next = numbers(seed);
      const constants = constantsIn(source.files.read(source.file));
      for (let round = 0; round < INPUTS; round++) {
        const input = randomInput(exploration, next, constants);
        const values = new SymbolValues(input, exploration.knowledge);
        const own = exploration.paths.filter(({ conditions }) => values.satisfy(conditions));
        expect([hook, round, own.length]).toEqual([hook, round, 1]);
        expect(difference(own[0]!.end, values, ask(input))).toBeNull();
      }
      return reasons;
    });
    policies.close();
    const known = NOT_DECIDED[name];
    if (known !== undefined) expect(doubts).toContain(known);
    else expect([...new Set(doubts)]).toEqual([]);
  });
});
