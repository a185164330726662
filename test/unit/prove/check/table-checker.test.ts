import { expect, it } from "vitest";
import { checkedPolicies } from "../../../../src/prove/check/checked-policy.js";
import { TableChecker } from "../../../../src/prove/check/table-checker.js";
import { PlacedPolicies } from "../../../../src/prove/configuration/placed-policies.js";
import { CertifiedFolder } from "../../../support/certificates.js";

it("names what it does not evaluate: reduce of a list, which the explorer decides", () => {
  const body = "prog.maps.reduce((sum, map) => sum + map.memory, 0) > 4096 ? -1 : 0";
  const folder = new CertifiedFolder("budget.js", `export const bpf_prog_load = (prog) =>\n  ${body};\n`);
  const policies = new PlacedPolicies(folder.config);
  const [policy] = checkedPolicies(folder.config);
  const checker = new TableChecker(policy!, "bpf_prog_load", policies.names, policies.domain);
  expect(checker.outcome([])).toEqual({
    notEvaluated: expect.stringContaining("`reduce`"),
    line: "budget.js:2",
  });
  policies.close();
  expect(() => folder.make()).toThrow(
    expect.objectContaining({
      code: "PROOF_UNSUPPORTED",
      place: "budget.js:2",
      message: expect.stringContaining("cannot evaluate `reduce`"),
    }),
  );
  folder.remove();
});
