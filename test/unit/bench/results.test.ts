import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { merge, parse, render } from "../../../bench/results.mjs";
import { own } from "../../support/workplace.js";

interface Row {
  readonly row: string;
  readonly figure: string;
  readonly asked: string;
  readonly machine: string;
  readonly date: string;
  readonly commit: string;
}

const text = readFileSync(own("bench/RESULTS.md"), "utf8");
const results = parse(text);
const subjects: [string, Row[]][] = [...results.subjects];

describe("bench/RESULTS.md", () => {
  it("has tables of one form, and no other text between them", () => {
    expect(subjects.length).toBeGreaterThan(10);
    expect(render(results)).toBe(text);
  });

  it.each(subjects)("says of each row of `%s` what was measured, where and when", (_, rows) => {
    expect(rows.length).toBeGreaterThan(0);
    for (const { row, figure, machine, date, commit } of rows) {
      expect(row).toMatch(/^\S/);
      expect(figure, row).toMatch(/\d|^not measured: /);
      expect(["-", ...results.machines.keys()], row).toContain(machine);
      expect(date, row).toMatch(/^(?:-|\d{4}-\d\d-\d\d)$/);
      expect(commit, row).toMatch(/^(?:-|[0-9a-f]{7,12}(?: and changes)?)$/);
    }
  });

  it("has each row of a subject once for each machine", () => {
    const names = subjects.flatMap(([subject, rows]) =>
      rows.map(({ row, machine }) => `${subject}: ${row} (${machine})`),
    );
    expect(names).toEqual([...new Set(names)]);
  });
});

describe("bench/NOTES.md", () => {
  it("has at most 200 lines", () => {
    expect(readFileSync(own("bench/NOTES.md"), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(200);
  });
});

describe("rows that are written", () => {
  const measured = (row: string, figure: string, machine: string) => ({
    subject: "Loads",
    rows: [{ row, figure, asked: "" }],
    machine,
    date: "2026-12-03",
    commit: "abcdef01",
  });
  const before = `# Benchmarks

## Machines

| machine | what it is |
| --- | --- |
| A | old |

## Loads

| row | figure | asked | machine | date | commit |
| --- | --- | --- | --- | --- | --- |
| seen | 3 µs | at most 2 µs: MISSED | A | - | - |
| new | 5 µs | - | A | - | - |
`;

  it("replace the row of their name on the same machine", () => {
    expect(render(merge(parse(before), measured("seen", "1 µs", "old")))).toBe(
      before.replace("| 3 µs | at most 2 µs: MISSED | A | - | - |", "| 1 µs | - | A | 2026-12-03 | abcdef01 |"),
    );
  });

  it("come after those of other machines, and give a machine the next letter", () => {
    expect(render(merge(parse(before), measured("seen", "1 µs", "fast")))).toBe(
      `${before.replace("| A | old |\n", "| A | old |\n| B | fast |\n")}| seen | 1 µs | - | B | 2026-12-03 | abcdef01 |\n`,
    );
  });

  it("make a table of a new subject", () => {
    const { subjects } = merge(parse(before), { ...measured("a hook", "7 ns", "old"), subject: "Hooks" });
    expect([...subjects.keys()]).toEqual(["Loads", "Hooks"]);
  });
});
