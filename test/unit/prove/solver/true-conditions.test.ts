import { describe, expect, it } from "vitest";
import type { Exploration } from "../../../../src/prove/explorer/exploration.js";
import { solve } from "../../../../src/prove/solver/solver.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { randomInput } from "../../../support/prove.js";
import { TrueConditions } from "../../../support/true-conditions.js";

const seed = seedOf();
const SETS = Number(process.env.SETS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 5_000 : 25));
const WORDS = [
  ...["", "a", "b", "ab", "a/b", "_", " a", "a ", "/", "a_b/a", "edge", "5", " 5", "12", "xdp", "GPL", "\ud800"],
  ...["aa", "ba", "Hash", "hash", "0x1"],
];
/** What inputs are drawn for. */
const ANY = { hook: "bpf_prog_load", paths: [] } as unknown as Exploration;

describe(`conditions that are true for an input (seed ${seed})`, () => {
  it("are not refuted", { tags: ["deep"], timeout: 36_000_000 }, () => {
    const taken = { sets: 0, conditions: 0, solved: 0 };
    for (let round = 0; round < SETS; round++) {
      const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
      const input = randomInput(ANY, next, { texts: WORDS, numbers: [0, 1, 2, 3, 4, 5] });
      const drawn = new TrueConditions(input, next, WORDS);
      drawn.draw(1 + next(9));
      const { conditions, knowledge } = drawn;
      const answer = solve(conditions, knowledge);
      if (answer === "unsatisfiable") expect.fail(`seed ${seed}, round ${round}: ${JSON.stringify(conditions)}`);
      taken.sets += 1;
      taken.conditions += conditions.length;
      taken.solved += typeof answer === "string" ? 0 : 1;
    }
    expect(taken.conditions).toBeGreaterThan(SETS);
    expect(taken.solved).toBeGreaterThan(SETS / 4);
    if (process.env.SETS !== undefined) console.log(taken);
  });
});
