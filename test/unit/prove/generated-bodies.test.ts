import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../support/damage.js";
import { policyWithBody } from "../../support/hostile-bodies.js";
import { type ExploredPolicy, randomInput } from "../../support/prove.js";
import { randomBody } from "../../support/random-bodies.js";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const BODIES = Number(process.env.BODIES ?? (isLong ? 2_000 : 5));
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 20 : 5));
/** The short form has the same bodies each time: of a few that are drawn, too few may be decided. */
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 1;

describe(`bodies of hooks drawn by chance (seed ${seed})`, () => {
  it("are executed as the engine does, or not decided", { tags: ["deep"], timeout: 36_000_000 }, () => {
    const taken = { bodies: 0, paths: 0, decided: 0, inputs: 0, unfinished: 0 };
    for (let round = 0; round < BODIES; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      const body = randomBody(next);
      let policy: ExploredPolicy;
      try {
        policy = policyWithBody(body);
      } catch {
        // The linker rejects it
        continue;
      }
      const place = `seed ${seed}, round ${round}:\n${body}\n`;
      const exploration = policy.explore("bpf_prog_load", 100);
      taken.bodies += 1;
      for (const { path, wrong } of policy.confirmations(exploration)) {
        if (wrong !== null) expect.fail(`${place}${JSON.stringify([wrong, path])}`);
        taken.paths += 1;
        taken.decided += path.end.kind === "not decided" ? 0 : 1;
      }
      taken.unfinished += exploration.unfinished === null ? 0 : 1;
      for (let drawn = 0; exploration.unfinished === null && drawn < INPUTS; drawn++) {
        const flaw = policy.flaw(exploration, randomInput(exploration, next));
        if (flaw !== null) expect.fail(`${place}${flaw}`);
        taken.inputs += 1;
      }
      policy.close();
    }
    expect(taken.bodies).toBeGreaterThan(BODIES / 2);
    expect(taken.decided).toBeGreaterThan(taken.paths / 5);
    if (process.env.BODIES !== undefined) console.log(taken);
  });
});
