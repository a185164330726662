// @module-tag deep
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../support/damage.js";
import { HOSTILE_BODIES, policyWithBody } from "../support/hostile-bodies.js";
import { type ExploredPolicy, randomInput } from "../support/prove.js";
import { shareOf } from "../support/share.js";

const seed = seedOf();
const INPUTS = shareOf(100);
/** How paths of the policies that were explored end. */
const ends = new Set<string>();

describe(`policies that try to tell that they are explored (seed ${seed})`, () => {
  it.each(Object.entries(HOSTILE_BODIES))("%s: not decided, or as the engine decides", (name, body) => {
    let policy: ExploredPolicy;
    try {
      policy = policyWithBody(body);
    } catch (error) {
      // The linker rejects it, so that no engine runs it
      expect(String(error)).toMatch(/POLICY_|CountersignError/);
      return;
    }
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    expect(exploration.paths.length).toBeGreaterThan(0);
    for (const { end } of exploration.paths) ends.add(end.kind);
    for (const { wrong, ...rest } of policy.confirmations(exploration))
      expect(wrong === null ? null : { wrong, rest }, name).toBeNull();
    const next = numbers(seed);
    const isAsked = !["an endless loop", "a deep recursion", "too much memory"].includes(name);
    for (let round = 0; isAsked && round < INPUTS; round++) {
      const flaw = policy.flaw(exploration, randomInput(exploration, next));
      expect(flaw === null ? null : `${flaw} (round ${round}, seed ${seed})`).toBeNull();
    }
    policy.close();
  });

  it("there are many, and some of them are decided", () => {
    expect(Object.keys(HOSTILE_BODIES).length).toBeGreaterThan(100);
    for (const kind of ["verdict", "fault", "not decided"]) expect([...ends]).toContain(kind);
  });
});
