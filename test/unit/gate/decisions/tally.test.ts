import { describe, expect, it } from "vitest";
import { Tally } from "../../../../src/gate/decisions/tally.js";
import type { Decision } from "../../../../src/hooks/decision.js";
import type { Grants } from "../../../../src/hooks/grants.js";

/** A decision as far as it is counted. */
function decision(grants?: Grants): Decision {
  return { enforced_verdict: 0, answers: [], ...(grants === undefined ? {} : { grants }) } as unknown as Decision;
}

describe("what a decision granted", () => {
  const granted = (mode: "enforce" | "audit") => ({ delegation: { attachment: "a", capabilities: ["CAP_BPF"], mode } });

  it.each([
    ["nothing", undefined, { granted: 0, frozen: 0 }],
    ["capabilities", granted("enforce"), { granted: 1, frozen: 0 }],
    ["what an attachment in audit would grant", granted("audit"), { granted: 0, frozen: 0 }],
    ["frozen maps", { freeze: "a" }, { granted: 0, frozen: 1 }],
    ["both", { ...granted("enforce"), freeze: "a" }, { granted: 1, frozen: 1 }],
  ])("is counted: %s", (_, grants, counts) => {
    const tally = new Tally();
    tally.decision(decision(grants));
    expect(tally.read()).toMatchObject({ ...counts, allowed: 0, denied: 0 }); // an operation is counted once it is over;
  });
});
