import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../support/prove.js";
import { randomPolicy } from "../../support/random-policies.js";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const POLICIES = Number(process.env.POLICIES ?? (isLong ? 2_000 : 5));
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 500 : 25));
/** The short form has the same policies each time: of ten that are drawn, too few may be decided. */
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 1;

describe(`policies drawn by chance (seed ${seed})`, () => {
  it("have one path for each input, with the engine's answer", { tags: ["deep"], timeout: 36_000_000 }, () => {
    const taken = { policies: 0, paths: 0, decided: 0, unfinished: 0, unconfirmed: 0, limited: 0 };
    for (let round = 0; round < POLICIES; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      const text = randomPolicy(next);
      let policy: ExploredPolicy;
      try {
        policy = ExploredPolicy.of(text);
      } catch {
        continue;
      }
      const place = `seed ${seed}, round ${round}:\n${text}\n`;
      const exploration = policy.explore("bpf_prog_load", 300);
      taken.policies += 1;
      taken.paths += exploration.paths.length;
      for (const { path, status, ...rest } of policy.confirmations(exploration)) {
        if (status === "contradicted") expect.fail(`${place}${JSON.stringify([rest, path])}`);
        if (path.end.kind !== "not decided") taken.decided += 1;
        // a number of helpers of which a high bit is set
        if (path.end.kind !== "not decided" && status === "limited") taken.limited += 1;
        if (path.end.kind !== "not decided" && status === "unconfirmed") taken.unconfirmed += 1;
      }
      taken.unfinished += exploration.unfinished === null ? 0 : 1;
      for (let drawn = 0; exploration.unfinished === null && drawn < INPUTS; drawn++) {
        const input = randomInput(exploration, next);
        const flaw = policy.flaw(exploration, input);
        if (flaw !== null) expect.fail(`${place}${flaw}`);
      }
      policy.close();
    }
    expect(taken.policies).toBeGreaterThan(POLICIES / 2);
    expect(taken.decided).toBeGreaterThan(taken.paths / 4);
    expect(taken.limited).toBeLessThanOrEqual(taken.decided / 50);
    if (process.env.POLICIES !== undefined) console.log(taken);
  });
});
