import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { comparisonLines, comparisonText } from "../../../../src/cli/output/comparison.js";
import { compareScans } from "../../../../src/loaded/compare/compare.js";
import type { Scan } from "../../../../src/loaded/model/scan.js";
import { archiveOf, savedAnswers, scanIn } from "../../../support/scans.js";
import { own } from "../../../support/workplace.js";

async function compared(change: (scan: Scan) => Scan) {
  const before = await scanIn(await archiveOf(savedAnswers()));
  const after = change(before);
  return { before, after, comparison: compareScans(before, after) };
}

const CHANGED = (scan: Scan): Scan => {
  const [program] = scan.programs;
  const added = { ...program!, id: 40, name: "a\u001b[2J" };
  const moved = scan.places.map((place) => (place.at === "cgroup" ? { ...place, path: "/b" } : place));
  return { ...scan, programs: [...scan.programs, added], maps: [], places: moved };
};

it("shows what is new, moved and gone, and no control characters of names", async () => {
  expect(comparisonText(await compared(CHANGED)).split("\n")).toEqual([
    "CHANGE  OBJECT      NAME        TYPE        ATTACHED OR PINNED",
    "new     program 40  a\\u{1b}[2J  cgroup_skb  -",
    expect.stringMatching(
      /^moved {3}program 37 {2}limit {7}cgroup_skb {2}cgroup_inet_ingress of cgroup \/a, .*, now .* of cgroup \/b, /,
    ),
    "gone    map 5       -           prog_array  -",
    "",
    "1 new, 1 moved, 1 gone",
  ]);
  expect(comparisonText(await compared((scan) => scan))).toBe("0 new, 0 moved, 0 gone");
  const elsewhere = await compared((scan) => ({ ...scan, bootId: "other" }));
  expect(comparisonText(elsewhere)).toMatch(/^0 new, 0 moved, 0 gone; another boot or machine/);
});

it("prints lines that the published schema describes", async () => {
  const schema = JSON.parse(readFileSync(own("schema/scan.schema.json"), "utf8"));
  const isValid = new Ajv2020({ allowUnionTypes: true, strictTypes: false }).compile(schema);
  const lines = [...comparisonLines(await compared(CHANGED))].map((line) => JSON.parse(JSON.stringify(line)));
  for (const line of lines) expect(isValid(line) ? null : isValid.errors).toBeNull();
  expect(lines.map(({ kind, change }) => change ?? kind)).toEqual(["new", "moved", "gone", "comparison", "views"]);
  expect(lines[3]).toEqual({ kind: "comparison", same_boot: true, new: 1, moved: 1, gone: 1 });
  expect(lines[1].before.pins).toEqual([{ by: "pin", path: "/sys/fs/bpf/tc/a%40b@", mount_namespace: null }]);
  expect(isValid({ ...lines[0], change: "other" })).toBe(false);
});
