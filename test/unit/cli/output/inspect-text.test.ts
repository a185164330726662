import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { programDetailsOf } from "../../../../src/bpf/report/program-details.js";
import { describeFacts } from "../../../../src/cli/output/inspect-text.js";
import type { Whole } from "../../../../src/cli/output/inspected.js";

const bytes = readFileSync(join(import.meta.dirname, "../../../../examples/legacy-count.o"));
const wholes: Whole[] = [];
const facts = factsOfObject(bytes, (program) => {
  wholes.push({ ...programDetailsOf(program) } as Whole);
});
const [program] = facts.programs;

/** The lines with the helpers of a program that calls these. */
function helpers(names: readonly string[]): readonly string[] {
  const given = { ...facts, programs: [{ ...program!, helpers: [...names] }] };
  const text = describeFacts({ file: "a.o", facts: given, wholes, kernel: null, target: null });
  const lines = text.split("\n");
  const from = lines.findIndex((line) => line.startsWith("    helpers"));
  const to = lines.findIndex((line, index) => index > from && !line.startsWith(" ".repeat(13)));
  return lines.slice(from, to).map((line) => line.slice(13));
}

describe("the facts of an object as text", () => {
  it("wrap a list after 100 columns", () => {
    const [long, short] = ["x".repeat(60), "y".repeat(38)];
    expect(helpers([long, short, "z"])).toEqual([`${long}, ${short}`, "z"]);
    expect(helpers([long, `${short}y`, "z"])).toEqual([long, `${short}y, z`]);
  });

  it("replace control characters in names", () => {
    expect(helpers(["a\u001b[2J"])).toEqual(["a?[2J"]);
  });
});
