import { describe, expect, it } from "vitest";
import { Edits } from "../../../../src/policy/units/edits.js";

describe("edits to a text", () => {
  it("nest like the code that they enclose, from the inside out", () => {
    const edits = new Edits("f x y");
    edits.open(2, "(");
    edits.close(3, ")");
    edits.open(2, "[");
    edits.close(3, "]");
    expect(String(edits)).toBe("f [(x)] y");
  });

  it("close what ends before they open what begins", () => {
    const edits = new Edits("ab");
    edits.open(1, "<b>");
    edits.close(1, "</a>");
    edits.replace(1, 2, "B");
    expect(String(edits)).toBe("a</a><b>B");
  });

  it("do not overlap", () => {
    const edits = new Edits("abc");
    edits.replace(0, 2, "");
    edits.open(1, "x");
    expect(() => String(edits)).toThrow(RangeError);
  });
});

describe("where a place in an edited text comes from", () => {
  const edits = new Edits("import x;\nlet y = 1;\nz");
  edits.replace(0, 9, ";");
  edits.open(18, "count(");
  edits.close(19, ")");
  edits.open(21, "/* new */");
  // ;\nlet y = count(1);\n/* new */z

  it.each([
    ["what stayed", 1, 4, 14],
    ["what stayed behind an edit", 1, 14, 18],
    ["what was put in is told by what stands before it", 1, 9, 17],
    ["what was put in at a line's start comes from nowhere", 2, 3, null],
    ["what was replaced comes from its beginning", 0, 0, 0],
    ["the last character", 2, 9, 21],
  ])("%s", (_, line, column, offset) => {
    expect(edits.origin(line, column)).toBe(offset);
  });
});
