import { describe, expect, it } from "vitest";
import { attackResults } from "../../../src/seal/attacks/attack-results.js";

describe("what the program with the attacks wrote", () => {
  it("has the end of each attack, what it says, and the reasons of the guard", () => {
    const output = [
      "noise",
      "plain-load: held EPERM (load after it)",
      "plain-load: reasons 1 17",
      "classic-filter: broken the socket has the filter",
      "msr: skipped needs a module",
      "every-type: failed a type was not tried",
      "every-type: reasons",
    ].join("\n");
    expect([...attackResults(output)]).toEqual([
      ["plain-load", { outcome: "held", text: "EPERM (load after it)", reasons: [1, 17] }],
      ["classic-filter", { outcome: "broken", text: "the socket has the filter", reasons: [] }],
      ["msr", { outcome: "skipped", text: "needs a module", reasons: [] }],
      ["every-type", { outcome: "failed", text: "a type was not tried", reasons: [] }],
    ]);
  });
});
