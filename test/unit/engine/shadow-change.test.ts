import { describe, expect, it } from "vitest";
import { isUnlogged, shadowDifference, shadowDifferences } from "../../../src/engine/shadow-change.js";
import type { Decision, Denial } from "../../../src/hooks/decision.js";
import { task } from "../../task.js";

const denial = (attachment: string | null, verdict = -1): Denial => {
  return { attachment, verdict, code: "DENIED_BY_POLICY", reason: "no" };
};
const decision = (more: Partial<Decision> = {}): Decision => ({
  ...{ id: "1", time: 5, judged_time: 5, hook: "bpf_prog_load", operation: "o", current: task() },
  subject: { kind: "program", name: "p", digest: "ab", path: null },
  ...{ mode: "enforce", verdict: 0, enforced_verdict: 0, denied_by: null, audit_denials: [], answers: [] },
  ...{ keyrings: {}, duration_us: 1, ...more },
});
const denied = (by: string, verdict = -1) =>
  decision({ verdict, enforced_verdict: verdict, denied_by: denial(by, verdict) });
const fault = { code: "POLICY_ERROR", message: "m", place: null } as const;
const failed = { attachment: "b", fault } as unknown as Decision["answers"][number];

describe("the difference of a shadow", () => {
  it.each([
    ["denies", decision(), denied("b")],
    ["allows", denied("a"), decision()],
    ["errno", denied("a"), denied("b", -13)],
    ["grants", decision(), decision({ grants: { freeze: "b" } })],
    ["audit", decision(), decision({ audit_denials: [denial("b")] })],
    ["audit", decision({ audit_denials: [denial("a")] }), decision()],
    ["fault", decision(), decision({ answers: [failed] })],
  ] as const)("is `%s`", (change, before, after) => {
    expect(shadowDifference("new.yaml", before, after)).toMatchObject({
      change,
      shadow: "new.yaml",
      decided: { enforced_verdict: before.enforced_verdict, denied_by: before.denied_by },
    });
  });

  it("is none if another attachment denies with the same errno, or if only reasons differ", () => {
    expect(shadowDifference("new.yaml", denied("a"), denied("b"))).toBeNull();
    expect(shadowDifference("new.yaml", decision(), decision({ id: "2" }))).toBeNull();
  });

  it("has the id and the time of the decision that had an effect", () => {
    const found = shadowDifference("new.yaml", decision(), { ...denied("b"), id: "2", time: 9, judged_time: 9 });
    expect(found?.decision).toMatchObject({ id: "1", time: 5, judged_time: 5, enforced_verdict: -1 });
  });

  it("of a file is by hook and subject, and a configuration allows where it does not decide", () => {
    const map = { hook: "bpf_map_create", subject: { kind: "map", name: "m", digest: "", path: null } } as const;
    const changes = shadowDifferences(
      "new.yaml",
      [decision(), { ...denied("a"), ...map }],
      [{ ...denied("b"), hook: "bpf_prog" }, decision()],
    );
    expect(changes.map(({ decision: { hook }, change }) => [hook, change])).toEqual([
      ["bpf_prog", "denies"],
      ["bpf_map_create", "allows"],
    ]);
  });

  it("is not looked for where a decision could not be logged", () => {
    expect(isUnlogged(decision({ denied_by: { ...denial(null), code: "INTERNAL_FAULT" } }))).toBe(true);
    expect(isUnlogged(denied("a"))).toBe(false);
  });
});
