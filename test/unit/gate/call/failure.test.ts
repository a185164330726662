import { describe, expect, it } from "vitest";
import { CallFailure, checked, deny, reported } from "../../../../src/gate/call/failure.js";
import { GATE_RULES, type GateRule } from "../../../../src/gate/call/rules.js";
import { failureOf } from "../../../support/call-failure.js";

describe("a failure of a call", () => {
  it("has the errno of its rule, for every rule", () => {
    for (const rule of Object.keys(GATE_RULES) as GateRule[]) {
      const thrown = (() => {
        try {
          return deny(rule, "why");
        } catch (failure) {
          return failure;
        }
      })();
      expect(thrown).toEqual(new CallFailure(GATE_RULES[rule].errno, { rule, reason: "why" }));
    }
  });

  it("is made of the kernel's errno, which is no denial", () => {
    expect(failureOf(() => checked(-13))).toBe(13);
    expect(failureOf(() => reported(-9))).toBe(9);
    expect([checked(0), checked(7), reported({ id: 1 })]).toEqual([0, 7, { id: 1 }]);
  });

  it("takes no stack trace", () => {
    expect(new CallFailure(1)).not.toHaveProperty("stack");
  });
});
