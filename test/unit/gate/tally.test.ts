import { describe, expect, it } from "vitest";
import { Tally } from "../../../src/gate/tally.js";
import type { Decision } from "../../../src/hooks/decision.js";
import type { Grants } from "../../../src/hooks/grants.js";

/** A decision as far as it is counted. */
function decision(grants?: Grants): Decision {
  return { enforced_verdict: 0, answers: [], ...(grants === undefined ? {} : { grants }) } as unknown as Decision;
}

describe("what a decision granted", () => {
  const lent = (mode: "enforce" | "audit") => ({ delegation: { by: "a", capabilities: ["CAP_BPF"], mode } });

  it.each([
    ["nothing", undefined, { lent: 0, frozen: 0 }],
    ["capabilities", lent("enforce"), { lent: 1, frozen: 0 }],
    ["what an attachment in audit would lend", lent("audit"), { lent: 0, frozen: 0 }],
    ["frozen maps", { freeze: "a" }, { lent: 0, frozen: 1 }],
    ["both", { ...lent("enforce"), freeze: "a" }, { lent: 1, frozen: 1 }],
  ])("is counted: %s", (_, grants, counts) => {
    const tally = new Tally();
    tally.decision(decision(grants));
    expect(tally.read()).toMatchObject({ ...counts, allowed: 0, denied: 0 }); // an operation is counted once it is over;
  });
});
