import { describe, expect, it } from "vitest";
import { appliedVerdict, Combination, faultVerdict } from "../../../../src/engine/decision/combination.js";

describe("a combination of answers", () => {
  it("has the first denial of an enforcing attachment, which nothing later changes", () => {
    const combination = new Combination<string>();
    combination.add("audit", "audit", false);
    expect(combination.canChange("enforce")).toBe(true);
    expect(combination.canChange("audit")).toBe(false);
    combination.add("enforce", "first", false);
    expect(combination.canChange("enforce")).toBe(false);
    combination.add("enforce", "second", true);
    combination.close("deny", () => "default");
    expect([combination.deniedBy, combination.auditDenials]).toEqual(["first", ["audit"]]);
  });

  it("applies the default if no enforcing attachment answered itself", () => {
    const combination = new Combination<string>();
    combination.add("enforce", null, true);
    combination.close("deny", (rule, asked) => `${rule} ${asked}`);
    expect(combination.deniedBy).toBe("deny true");
  });

  it("denies a fault unless it is allowed, and nothing in a dry run", () => {
    expect([
      faultVerdict("deny"),
      faultVerdict("allow"),
      appliedVerdict("audit", -1),
      appliedVerdict("enforce", -1),
    ]).toEqual([-1, 0, 0, -1]);
  });
});
