import { expect, it } from "vitest";
import { numbers, seedOf } from "../../support/damage.js";
import { ExploredPolicy } from "../../support/prove.js";
import { randomMapInput, randomMapPolicy } from "../../support/random-map-policies.js";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const POLICIES = Number(process.env.POLICIES ?? (isLong ? 1_000 : 12));
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 300 : 25));
/** The short form has the same policies each time. */
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 1;

it(`policies about values of a map have one path for each input, as the engine decides (seed ${seed})`, {
  tags: ["deep"],
  timeout: 36_000_000,
}, () => {
  const taken = { paths: 0, decided: 0, inputs: 0 };
  for (let round = 0; round < POLICIES; round++) {
    const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
    const text = randomMapPolicy(next);
    const policy = ExploredPolicy.of(text);
    const place = `seed ${seed}, round ${round}:\n${text}\n`;
    const exploration = policy.explore("bpf_prog_load", 300);
    taken.paths += exploration.paths.length;
    taken.decided += exploration.paths.filter(({ end }) => end.kind !== "not decided").length;
    for (const { path, status, ...rest } of policy.confirmations(exploration))
      if (status === "contradicted") expect.fail(`${place}${JSON.stringify([rest, path])}`);
    for (let drawn = 0; exploration.unfinished === null && drawn < INPUTS; drawn++) {
      const flaw = policy.flaw(exploration, randomMapInput(exploration, next));
      if (flaw !== null) expect.fail(`${place}${flaw} (input ${drawn})`);
      taken.inputs += 1;
    }
    policy.close();
  }
  expect(taken.decided).toBeGreaterThan(taken.paths / 4);
  if (process.env.POLICIES !== undefined) console.log(taken);
});
