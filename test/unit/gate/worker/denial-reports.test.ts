import { describe, expect, it } from "vitest";
import type { ReportedDenial } from "../../../../src/gate/messages/messages.js";
import { DenialReports } from "../../../../src/gate/worker/denial-reports.js";
import type { Decision } from "../../../../src/hooks/decision.js";

type Denied = Pick<Decision, "verdict" | "denied_by" | "audit_denials">;

const denial = (reason: string) => ({ attachment: "a", policy: "policy.js", reason, errno: 13 });

/** The reports of decisions about programs of these names. */
function reportsOf(...decisions: readonly (readonly [name: string, denied: Denied])[]): readonly ReportedDenial[] {
  const sent: ReportedDenial[] = [];
  const reports = new DenialReports((denial) => sent.push(denial));
  for (const [index, [name, denied]] of decisions.entries()) {
    const subject = { kind: "program", name, digest: "" };
    reports.report({ id: `${index}`, hook: "bpf_prog_load", subject, ...denied } as Decision);
  }
  return sent;
}

const enforced = (reason: string): Denied => ({ verdict: -13, denied_by: denial(reason) as never, audit_denials: [] });

describe("reports of denials", () => {
  it("say whether a denial was enforced, or only would have been", () => {
    const audited: Denied = { verdict: 0, denied_by: null, audit_denials: [denial("seen")] as never };
    const reports = reportsOf(["p", enforced("no")], ["p", { ...enforced("dry"), verdict: 0 }], ["p", audited]);
    expect(reports.map(({ reason, outcome }) => [reason, outcome])).toEqual([
      ["no", "denied"],
      ["dry", "dry run"],
      ["seen", "audit"],
    ]);
  });

  it("are sent once for each hook, subject and reason, with the id of the first decision", () => {
    const reports = reportsOf(
      ["p", enforced("no")],
      ["p", enforced("no")],
      ["q", enforced("no")],
      ["p", enforced("x")],
    );
    expect(reports.map(({ id, subject, reason }) => [id, subject, reason])).toEqual([
      ["0", "p", "no"],
      ["2", "q", "no"],
      ["3", "p", "x"],
    ]);
  });

  it("are not sent for what is allowed, and end at a hundred", () => {
    expect(reportsOf(["p", { verdict: 0, denied_by: null, audit_denials: [] }])).toEqual([]);
    const many = Array.from({ length: 150 }, (_, index) => ["p", enforced(`no ${index}`)] as const);
    expect(reportsOf(...many)).toHaveLength(100);
  });
});
