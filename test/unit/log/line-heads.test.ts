import { beforeAll, describe, expect, it } from "vitest";
import { DEFINED_HEAD, definedIn, mayBeDefinition, mayBeDenial, mayHaveId } from "../../../src/log/line-heads.js";
import { recordedLines } from "../../support/recorded-decisions.js";

let lines: readonly string[];
beforeAll(async () => {
  lines = [...(await recordedLines("inputs")), ...(await recordedLines("decision"))];
});

describe("the head of a line", () => {
  it("says of every record that is written what parsing says", () => {
    for (const line of lines) {
      const { type, level, id, digest, writer } = JSON.parse(line);
      const bytes = Buffer.from(`${line}\n`);
      const judged = line.includes('"judged_time"') && line.indexOf('"judged_time"') < line.indexOf('"origin"');
      if (type === "decision" && !judged) expect(mayHaveId(bytes, 0, Buffer.from(id))).toBe(true);
      expect(mayHaveId(bytes, 0, Buffer.from("01a220c3-2003-72f9-a12f-3bc8cdc67ab8"))).toBe(false);
      expect(mayBeDenial(bytes, 0)).toBe(level !== "info");
      expect(mayBeDefinition(bytes, 0)).toBe(type !== "decision");
      expect(definedIn(line.slice(0, DEFINED_HEAD))).toBe(digest ?? writer ?? null);
    }
  });

  it("says nothing of other lines", () => {
    for (const line of ["", "{", "{}", '{"level":"', "x".repeat(300)]) {
      const bytes = Buffer.from(line);
      expect(mayHaveId(bytes, 0, Buffer.from("01a220c3-2003-72f9-a12f-3bc8cdc67ab8"))).toBe(false);
      expect(definedIn(line)).toBeNull();
    }
  });
});
