import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../support/prove.js";

const POLICIES = readdirSync(join(import.meta.dirname, "../../../policies")).filter(
  (name) => /^[\w-]+\.(js|ts)$/.test(name) && !name.includes(".test."),
);
/** 200,000 in the long form. */
const INPUTS = Number(process.env.INPUTS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 200_000 : 100));
const seed = seedOf();

/** What is not decided, by policy and hook; every other path is. */
const NOT_DECIDED: Readonly<Record<string, readonly string[]>> = {
  "program-budget.ts bpf_prog_load": [
    "`*` of something else than finite numbers",
    "`<=` of something else than numbers",
    "arithmetic whose result may be infinite",
  ],
  "program-budget.ts bpf_prog": ["`<=` of something else than numbers"],
};

describe.each(POLICIES)("exploring %s", (name) => {
  const policy = ExploredPolicy.shipped(name);

  it.each(policy.hooks)("at %s finds all paths, and the engine confirms each", (hook) => {
    const exploration = policy.explore(hook);
    expect(exploration.unfinished).toBeNull();
    const confirmed = policy.confirmations(exploration);
    for (const { path, status, ...rest } of confirmed)
      if (path.end.kind !== "not decided") expect([status, rest, path]).toEqual(["confirmed", expect.anything(), path]);
    const reasons = exploration.paths.flatMap(({ end }) => (end.kind === "not decided" ? [end.why] : []));
    expect([...new Set(reasons)].sort()).toEqual(NOT_DECIDED[`${name} ${hook}`] ?? []);
  });

  it.each(policy.hooks)(`at %s has one path for each input, with the engine's answer (seed ${seed})`, (hook) => {
    const exploration = policy.explore(hook);
    const next = numbers(seed);
    for (let round = 0; round < INPUTS; round++) {
      const input = randomInput(exploration, next);
      const flaw = policy.flaw(exploration, input);
      if (flaw !== null) expect(`${flaw} (round ${round}, seed ${seed})`).toBeNull();
    }
  });
});
