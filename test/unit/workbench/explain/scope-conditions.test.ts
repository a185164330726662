import { describe, expect, it } from "vitest";
import type { AttachmentOfRecord } from "../../../../src/log/input-records.js";
import { type ScopedCaller, scopeConditions } from "../../../../src/workbench/explain/scope-conditions.js";
import { conditionText } from "../../../../src/workbench/explain/words.js";

const ROOT: ScopedCaller = { uid: 0, comm: "tc", exe: "/sbin/tc", container: null };
const WEB = { id: "c0", name: "web", labels: { tier: "edge", app: "web" } };

/** The sentences about a scope, with whether each condition matches. */
function told(scope: object, caller: Partial<ScopedCaller> = {}): readonly string[] {
  const attachment = { hooks: ["bpf"], scope } as unknown as AttachmentOfRecord;
  const [, ...conditions] = scopeConditions(attachment, "bpf", { ...ROOT, ...caller });
  return conditions.map((one) => `${one.matches ? "yes" : "no"}: ${conditionText(one)}`);
}

describe("the conditions of a scope", () => {
  it.each([
    [{ uid: [[0, 0]] }, {}, "yes: uid 0 matches 0"],
    [
      {
        uid: [
          [5, 9],
          [1000, 1000],
        ],
      },
      {},
      "no: uid 0 does not match 5-9, 1000",
    ],
    [{ comm: ["t*", "ip"] }, {}, "yes: comm tc matches t*, ip"],
    [{ exe: ["/usr/*"] }, {}, "no: exe /sbin/tc does not match /usr/*"],
    [{ exe: ["/usr/*"] }, { exe: null }, "yes: exe unknown matches /usr/*"],
    [{ container: true }, {}, "no: container no container does not match any container"],
    [{ container: false }, {}, "yes: container no container matches no container"],
    [{ container: ["web"] }, { container: WEB }, "yes: container web, c0 matches web"],
    [{ labels: "tier=edge" }, { container: WEB }, "yes: labels tier=edge, app=web match tier=edge"],
    [{ labels: "!app" }, { container: WEB }, "no: labels tier=edge, app=web do not match !app"],
    [{ labels: "a=b" }, { container: { ...WEB, labels: null } }, "yes: labels unknown match a=b"],
    [{ labels: "a=b" }, { container: { ...WEB, labels: {} } }, "no: labels no labels do not match a=b"],
    [{ labels: "a=b" }, {}, "no: labels no container do not match a=b"],
  ])("%j for %j are told", (scope, caller, expected) => {
    expect(told(scope, caller)).toEqual([expected]);
  });

  it("begin with the hook", () => {
    const attachment = { hooks: ["bpf", "bpf_map"], scope: {} } as unknown as AttachmentOfRecord;
    const text = (hook: string) => scopeConditions(attachment, hook, ROOT).map(conditionText);
    expect(text("bpf")).toEqual(["it is attached to bpf"]);
    expect(text("bpf_prog")).toEqual(["it is attached to bpf, bpf_map, not to bpf_prog"]);
  });
});
