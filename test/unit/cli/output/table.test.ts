import { describe, expect, it } from "vitest";
import { table } from "../../../../src/cli/output/table.js";

const rows = [
  ["a.o", "allowed", "by tc"],
  ["long-name.o", "refused", "tc: reads kernel memory and is not signed"],
];

describe("a table", () => {
  it("is as wide as its cells where there is no terminal, one row a line", () => {
    expect(table(["FILE", "VERDICT", "REASON"], rows).split("\n")).toEqual([
      "FILE         VERDICT  REASON",
      "a.o          allowed  by tc",
      "long-name.o  refused  tc: reads kernel memory and is not signed",
    ]);
  });

  it("continues a long reason below itself where the terminal ends", () => {
    expect(table(["FILE", "VERDICT", "REASON"], rows, 48).split("\n").slice(2)).toEqual([
      "long-name.o  refused  tc: reads kernel memory",
      "                      and is not signed",
    ]);
  });

  it("leaves lines to a terminal that has no room for them", () => {
    expect(table(["FILE", "VERDICT", "REASON"], rows, 40)).toBe(table(["FILE", "VERDICT", "REASON"], rows));
  });
});
