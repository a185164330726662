import { describe, expect, it } from "vitest";
import { FAULT_CODES, type FaultCode } from "../../../../src/policy/model/outcome.js";
import { configurationTable } from "../../../../src/prove/table/configuration-table.js";
import { doubtOf } from "../../../../src/prove/table/decision-table.js";
import { confirm, doubtFrom } from "../../../../src/prove/witness/confirmed-path.js";
import { ExploredPolicy } from "../../../support/prove.js";
import { comparisonOf } from "../../../support/prove-compare.js";
import { withPolicies } from "../../../support/prove-configuration.js";
import { answerFor, oneAttachment } from "../../../support/prove-property.js";

const HOOK = "bpf_prog_load";
const policyWith = (condition: string, denial = -1) =>
  `export const bpf_prog_load = (prog) => ${condition} ? ${denial} : 0;`;
/** The engine takes more than its steps for each program of which this holds. */
const MANY_HELPERS = "prog.helpers.length > 40000";
const WHY = /^every example that was tried reaches a limit: OUT_OF_STEPS: used more than its 150000 steps$/;

/** What there is to say against the paths of a policy, and whether each was confirmed, by its verdict. */
function paths(condition: string): Record<string, string> {
  const policy = ExploredPolicy.of(policyWith(condition));
  const found = policy.confirmations(policy.explore(HOOK));
  policy.close();
  return Object.fromEntries(
    found.map(({ path, status, ...rest }) => [
      "verdict" in path.end ? path.end.verdict : "",
      doubtOf(path.end, { status, ...rest } as Parameters<typeof doubtOf>[1]) ?? status,
    ]),
  );
}

describe("a path of which every example reaches a limit of the engine", () => {
  it.each([MANY_HELPERS, "prog.helpers.length === 40000", "(prog.helpers.length & 32768) !== 0"])(
    "is not decided in the table of a policy: %s",
    (condition) => expect(paths(condition)).toEqual({ "-1": expect.stringMatching(WHY), "0": "confirmed" }),
  );

  it("is not decided in the table of a configuration", () => {
    const { rows } = withPolicies(oneAttachment(policyWith(MANY_HELPERS)), (policies) =>
      configurationTable(policies, HOOK, { paths: 100, timeout: 600_000 }, 100),
    );
    expect(rows.map(({ result, reason }) => [result, reason])).toContainEqual([
      "not decided",
      expect.stringMatching(WHY),
    ]);
  });

  // The engine's fault denies, so that the property holds also of the example that is not used
  it.each(["decision.fault === null", "decision.verdict === 0 || decision.verdict === -1"])(
    "leaves a property undecided: %s",
    { tags: ["deep"] },
    (property) => {
      const { answer, doubts } = answerFor(oneAttachment(policyWith(MANY_HELPERS)), property);
      expect([answer, doubts.map(({ why }) => why)]).toEqual(["not decided", [expect.stringMatching(WHY)]]);
    },
  );

  it("leaves a property undecided that asks for another decision which reaches one", () => {
    const text = `export const bpf_prog_load = (prog, current) => current.uid === 5 && ${MANY_HELPERS} ? -1 : 0;`;
    const property = "current.uid === 5 || decide(prog, change(current, { uid: 5 })).fault === null";
    const { answer, doubts } = answerFor(oneAttachment(text), property);
    expect([answer, doubts.map(({ why }) => why)]).toEqual(["not decided", [expect.stringMatching(WHY)]]);
  });

  it.each([
    ["the same verdict", -1],
    ["another verdict", -13],
  ])("leaves a comparison undecided: %s", (_, denial) => {
    const old = oneAttachment(policyWith(MANY_HELPERS));
    const its = oneAttachment(policyWith(`40000 < prog.helpers.length`, denial));
    const { answer, doubts } = comparisonOf(old, its);
    expect([answer, doubts.map(({ why }) => why)]).toEqual(["not decided", [expect.stringMatching(WHY)]]);
  });
});

describe("an example for which the engine has a fault", () => {
  const LIMITS: readonly FaultCode[] = ["OUT_OF_STEPS", "OUT_OF_TIME", "OUT_OF_MEMORY", "OUT_OF_STACK"];

  it.each(FAULT_CODES)("contradicts its path, unless the fault is a limit: %s", (code) => {
    const policy = ExploredPolicy.of(policyWith("prog.helpers.length > 3"));
    const exploration = policy.explore(HOOK);
    for (const path of exploration.paths) {
      const confirmation = confirm(path, exploration, (input) => {
        const fault = { code, message: "", place: null };
        return { ...policy.ask(HOOK, input), verdict: null, fault };
      });
      const isLimit = LIMITS.includes(code);
      expect(confirmation.status).toBe(isLimit ? "limited" : "contradicted");
      expect(doubtFrom(confirmation)?.contradicted).toBe(isLimit ? undefined : true);
    }
    policy.close();
  });
});

describe("a path with an example of few steps", () => {
  it("is confirmed by it", () =>
    expect(paths("prog.helpers.length > 3")).toEqual({ "-1": "confirmed", "0": "confirmed" }));
});
