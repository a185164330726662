import { describe, expect, it } from "vitest";
import type { DecisionTable } from "../../../../src/prove/table/decision-table.js";
import { headingOf, reasonOf } from "../../../../src/prove/table/table-text.js";

const TABLE: DecisionTable = {
  attachment: "one",
  hook: "bpf_prog_load",
  policy: "one.js",
  digest: "",
  mode: "enforce",
  on_fault: "deny",
  scope: {},
  names: [],
  cases: [],
  rows: [],
  unfinished: null,
  limit: null,
};

describe("the heading of a table", () => {
  it.each<[string, Partial<DecisionTable>]>([
    ["one at bpf_prog_load (one.js)", {}],
    ["one at bpf_prog_load (one.js; audit: it never denies)", { mode: "audit" }],
    ["one at bpf_prog_load (one.js; a fault allows)", { on_fault: "allow" }],
    ['one at bpf_prog_load (one.js; scope {"exe":["/bin/a"]})', { scope: { exe: ["/bin/a"] } }],
    [
      'one at bpf_prog_load (one.js; audit: it never denies; a fault allows; scope {"exe":["/bin/a"]})',
      { mode: "audit", on_fault: "allow", scope: { exe: ["/bin/a"] } },
    ],
  ])("says what is different from the usual: %s", (heading, special) => {
    expect(headingOf({ ...TABLE, ...special })).toBe(heading);
  });
});

describe("a reason", () => {
  it("is cut after 120 characters", () => {
    expect(reasonOf({ reason: null })).toBeNull();
    expect(reasonOf({ reason: "x".repeat(120) })).toBe("x".repeat(120));
    expect(reasonOf({ reason: "x".repeat(121) })).toBe(`${"x".repeat(119)}…`);
  });
});
