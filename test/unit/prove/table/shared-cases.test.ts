import { expect, it } from "vitest";
import { withSharedCases } from "../../../../src/prove/table/shared-cases.js";

const long = (letter: string, length: number) => letter.repeat(length);

it("leaves short rows as they are", () => {
  const rows = [["a", "b"], [long("c", 200)], []];
  expect(withSharedCases(rows)).toEqual({ cases: [], rows });
});

it("names what several rows begin with", () => {
  const [a, b, c] = ["a", "b", "c"].map((letter) => long(letter, 80)) as [string, string, string];
  const { cases, rows } = withSharedCases([[a, b, c], [a, b, "d"], [a]]);
  expect(cases).toEqual([{ name: "case A", conditions: [a, b] }]);
  expect(rows).toEqual([["case A", c], ["case A", "d"], [a]]);
});

it("names a long condition, and leaves no row longer than 200 characters", () => {
  const many = Array.from({ length: 30 }, (_, index) => long(String.fromCharCode(97 + index), 40 + 5 * index));
  const { cases, rows } = withSharedCases([many, many.slice(5), [long("x", 500)], [long("x", 500), "y"]]);
  for (const row of rows) expect(row.join(" and ").length).toBeLessThanOrEqual(200);
  // What the names stand for is what there was
  const whole = (row: readonly string[]): readonly string[] =>
    row.flatMap((one) => {
      const its = cases.find(({ name }) => name === one);
      return its === undefined ? [one] : whole(its.conditions);
    });
  expect(rows.map(whole)).toEqual([many, many.slice(5), [long("x", 500)], [long("x", 500), "y"]]);
});
