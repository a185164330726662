import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ATTACKS } from "../../../../src/seal/attacks/attacks.js";
import { RULE_ATTACKS } from "../../../../src/seal/attacks/rule-attacks.js";
import { own } from "../../../support/workplace.js";

const TESTS = readdirSync(own("test/system/seal")).filter((name) => name.endsWith(".test.ts"));
const isTest = (name: string) => TESTS.includes(`${name}.test.ts`);

/** The rows of a table in a document, by the cells of its head; a pipe in a cell is not there. */
function rowsOf(document: string, head: readonly string[]): readonly Readonly<Record<string, string>>[] {
  const lines = readFileSync(own(document), "utf8").split("\n");
  const cells = (line: string) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const found = lines.flatMap((line, at) => {
    if (!line.startsWith("|") || !head.every((name) => cells(line).includes(name))) return [];
    const end = lines.findIndex((other, index) => index > at && !other.startsWith("|"));
    const names = cells(line);
    return lines
      .slice(at + 2, end)
      .map((row) => Object.fromEntries(cells(row).map((cell, index) => [names[index]!, cell])));
  });
  if (found.length === 0) throw new Error(`${document} has no such table`);
  return found;
}

describe("the tables of attacks", () => {
  it("name a test for each attack that has a program, which runs these programs", () => {
    for (const { name, proof, test } of ATTACKS) if (proof !== null) expect(test, name).toBe("attacks");
  });

  it("name a test that exists for each attack, but for these, which none tries", () => {
    const all = [...ATTACKS, ...RULE_ATTACKS];
    expect(all.filter(({ test }) => test !== null && !isTest(test))).toEqual([]);
    expect(all.filter(({ test }) => test === null).map(({ name }) => name)).toEqual([
      "before-the-latch",
      "swap-agent",
      "dma",
    ]);
  });

  it.each([
    ["docs/seal-attacks.md", ["what root does", "test"]],
    ["docs/seal.md", ["attack of root", "test"]],
  ])("in %s name one test beside each row, or say that there is none", (document, head) => {
    const cells = rowsOf(document, head).map(({ test }) => test!);
    expect(cells.length).toBeGreaterThan(20);
    for (const cell of cells.filter((each) => each !== "none")) {
      const [, name = ""] = /^`([\w-]+)`$/.exec(cell) ?? [];
      expect(isTest(name), cell).toBe(true);
    }
  });

  it("in docs/seal.md have no test for three attacks: swap, maps that are not frozen, and DMA", () => {
    const untried = rowsOf("docs/seal.md", ["attack of root", "test"]).filter(({ test }) => test === "none");
    expect(untried.map((row) => row["attack of root"]!.slice(0, 30))).toEqual([
      expect.stringContaining("have the agent's memory"),
      expect.stringContaining("write maps that listed"),
      expect.stringContaining("write memory by a device"),
    ]);
  });
});
