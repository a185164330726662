import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GUARD_HOOKS } from "../../../../src/seal/guard/hooks.js";
import { own } from "../../../support/workplace.js";

describe("hooks.bpf.h", () => {
  it("names the LSM hooks of the table, so that no other LSM program is loaded for one", () => {
    const header = readFileSync(own("src/seal/guard/hooks.bpf.h"), "utf8");
    const named = [...header.matchAll(/HOOK\((\w+)\) *\\?$/gm)]
      .map(([, name]) => name)
      .filter((name) => name !== "HOOK");
    expect(named.sort()).toEqual(
      [...new Set(GUARD_HOOKS.map(({ hook }) => hook))].filter((hook) => hook !== "sysctl").sort(),
    );
  });
});
