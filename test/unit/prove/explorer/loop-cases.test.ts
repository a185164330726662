import { describe, expect, it } from "vitest";
import { loopCasesOf } from "../../../../src/prove/explorer/loop-cases.js";
import { SymbolNames } from "../../../../src/prove/explorer/symbol-names.js";

const flag = (of: string, is: boolean) => ({ atom: { kind: "flag", of }, is }) as const;

describe("the cases of a loop", () => {
  it("are merged where elements do the same", () => {
    const { stops, passes, first } = loopCasesOf(
      [
        { where: [flag("a", true), flag("b", true)], passed: null },
        { where: [flag("a", true), flag("b", false)], passed: null },
        { where: [flag("a", false), flag("b", true)], passed: { value: true } },
        { where: [flag("a", false), flag("b", false)], passed: { value: false } },
      ],
      (its) => `${its.length} stops`,
    );
    expect(stops).toEqual([[flag("a", true)]]);
    expect(passes).toEqual([
      { where: [flag("a", false), flag("b", true)], value: true },
      { where: [flag("a", false), flag("b", false)], value: false },
    ]);
    expect(first).toBe("1 stops");
  });
});

describe("names of symbols", () => {
  it("are the same for the same cases only", () => {
    const names = new SymbolNames();
    const [one, other] = [[[flag("a", true)]], [[flag("a", false)]]];
    expect([names.first("l", one), names.first("l", other), names.first("l", one), names.count("l", one)]).toEqual([
      "l[first]",
      "l[first 2]",
      "l[first]",
      "l[count]",
    ]);
  });
});
