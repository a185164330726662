import { describe, expect, it } from "vitest";
import { ExploredPolicy } from "../../../support/prove.js";

/** What became of each path of a policy, by its verdict. */
function statuses(condition: string): Record<string, string> {
  const policy = ExploredPolicy.of(`export const bpf_prog_load = (prog) => ${condition} ? -1 : 0;`);
  const found = policy.confirmations(policy.explore("bpf_prog_load"));
  policy.close();
  return Object.fromEntries(found.map(({ path, status }) => ["verdict" in path.end ? path.end.verdict : "", status]));
}

describe("an example for which the engine is out of steps", () => {
  it.each(["prog.helpers.length > 40000", "prog.helpers.length === 40000", "(prog.helpers.length & 32768) !== 0"])(
    "is none that was not expected, as no limit is assumed to be reached: %s",
    (condition) => {
      expect(statuses(condition)).toEqual({ "-1": "unconfirmed", "0": "confirmed" });
    },
  );

  it("does not keep a shorter one from being tried", () => {
    expect(statuses("prog.helpers.length > 3")).toEqual({ "-1": "confirmed", "0": "confirmed" });
  });
});
