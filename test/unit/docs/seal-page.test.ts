import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { GUARD_HOOKS } from "../../../src/seal/guard/hooks.js";
import { own } from "../../support/workplace.js";

describe("docs/seal.md", () => {
  it("names the hooks on which no LSM program is loaded, in the order of the table", () => {
    const text = readFileSync(own("docs/seal.md"), "utf8");
    const row = /^- LSM programs,[\s\S]*?:([\s\S]*?);$/m.exec(text)?.[1] ?? "";
    const named = Array.from(row.matchAll(/`(\w+)`/g), ([, hook]) => hook);
    const hooks = new Set(GUARD_HOOKS.map(({ hook }) => hook));
    expect(named).toEqual([...hooks].filter((hook) => hook !== "sysctl"));
  });
});
